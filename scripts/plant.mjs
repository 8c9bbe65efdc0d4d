/**
 * `npm run plant`: plants bugs in a copy of the core, one at a time, and tells what finds each: after how many small
 * worlds which promise is broken, and whether a day of 600 users shows it. A bug that no world finds makes it fail.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { buildIfNeeded } from './build-if-needed.mjs';

/**
 * @typedef {object} Bug
 * @property {string} name
 * @property {Record<string, [from: string, to: string][]>} edits by file below src/core; each `from` is there once
 */

/** @type {Bug[]} */
const bugs = [
  {
    name: 'a release is announced before the slot is free',
    edits: {
      'managers/release.ts': [
        [
          '    if (!this.#options.registry.remove(manager)) return false;\n    const lastActivityAtMs = manager.lastActivityAtMs;\n',
          '    const lastActivityAtMs = manager.lastActivityAtMs;\n    this.#emit(manager, { reason, closeCause, lastActivityAtMs, options });\n    if (!this.#options.registry.remove(manager)) return false;\n',
        ],
        [
          'act(manager, options);\n    this.#emit(manager, { reason, closeCause, lastActivityAtMs, options });\n    const { link }',
          'act(manager, options);\n    const { link }',
        ],
      ],
    },
  },
  {
    name: 'the late close of a socket that was taken over ends its successor',
    edits: {
      'wiring.ts': [['    if (!link.isCurrent) return;\n    const isAway', '    const isAway']],
    },
  },
  {
    name: 'a close that follows a release releases again',
    edits: {
      'managers/release.ts': [
        ['    if (manager.isReleased) return false;\n', ''],
        ['if (!this.#options.registry.remove(manager)) return false;', 'this.#options.registry.remove(manager);'],
      ],
      'managers/managed-connection.ts': [
        ['this.manager.link === this && !this.manager.isReleased', 'this.manager.link === this'],
      ],
    },
  },
  {
    name: 'whoever leaves the queue keeps its place',
    edits: {
      'admission/factory.ts': [['    if (!queue.remove(place)) return;\n', '    if (queue.size > 0) return;\n']],
    },
  },
  {
    name: 'the count is kept by `++` and `--`, and a slot without a socket never subtracts',
    edits: {
      'managers/registry.ts': [
        ['    this.#size -= 1;\n    if (held', '    if (manager.link !== null) this.#size -= 1;\n    if (held'],
      ],
    },
  },
  {
    name: 'a pong counts as activity',
    edits: {
      'managers/managed-connection.ts': [
        ['    this.lastPongAtMs = now;\n', '    this.lastPongAtMs = now;\n    this.lastInboundAtMs = now;\n'],
      ],
    },
  },
  {
    name: 'the floor of an eviction is ignored',
    edits: {
      'managers/engagement.ts': [['return { floorMs, streaming', 'return { floorMs: 0 * floorMs, streaming']],
    },
  },
  {
    name: 'the cool-down of a level is ignored',
    edits: {
      'pressure/monitor.ts': [
        ['now - watched.actedAtMs < cleanupCooldownMs', 'now - watched.actedAtMs < 0 * cleanupCooldownMs'],
      ],
    },
  },
  {
    name: 'each pass of a cleanup forgets what the one before released',
    edits: {
      'cleanup/emergency-run.ts': [
        ['    this.#attempts += 1;\n', '    this.#attempts += 1;\n    this.tally = new Tally();\n'],
        ['  readonly tally = new Tally();', '  tally = new Tally();'],
      ],
    },
  },
  {
    name: 'suspicion is skipped: who is silent to a probe goes at once',
    edits: {
      'liveness/probe.ts': [
        ["verdict === 'silent' && suspectAtMs > now", "verdict === 'silent' && suspectAtMs > Infinity"],
      ],
    },
  },
  {
    name: 'one suspect too many makes room',
    edits: {
      'cleanup/suspect-places.ts': [
        [
          '    for (const { manager } of heldLast(links)) {\n      if (waitingRoom.heardOf(userId) === 0) return;\n',
          '    let most = waitingRoom.heardOf(userId);\n    if (most === 0) return;\n    for (const { manager } of heldLast(links)) {\n      if (most-- < 0) return;\n',
        ],
      ],
    },
  },
  {
    name: 'quiet is taken for silent: it counts from the last byte, whoever was asked',
    edits: {
      'liveness/probe.ts': [['(unansweredSinceMs(link) ?? this.#startedAtMs) + asked', 'link.lastByteAtMs + asked']],
    },
  },
  {
    name: 'a ping of ours clears a suspect',
    edits: {
      'liveness/heartbeat.ts': [
        [
          '    if (!link.isCurrent) return;\n    if (link.bytesAtPing < 0',
          '    if (!link.isCurrent) return;\n    this.#options.suspicion.remove(link);\n    if (link.bytesAtPing < 0',
        ],
      ],
    },
  },
  {
    name: 'a reload ends a run: a held manager goes with its connection',
    edits: {
      'wiring.ts': [['away.isFor(manager) && queue', 'away.isFor(manager) && !manager.isHeld && queue']],
    },
  },
  {
    name: 'who is away is not waited for as long as is configured',
    edits: {
      'managers/away.ts': [['timeoutMs: options.resumeGraceMs', 'timeoutMs: options.resumeGraceMs / 2']],
    },
  },
  {
    name: 'one missed heartbeat is death',
    edits: {
      'liveness/heartbeat.ts': [['link.misses >= this.#options.maxHeartbeatMisses', 'link.misses >= 1']],
    },
  },
  {
    name: 'stalled time is charged',
    edits: {
      'liveness/stall-clock.ts': [['this.#stalledMs += late;', 'this.#stalledMs += 0 * late;']],
    },
  },
  {
    name: 'a takeover needs a slot of its own',
    edits: {
      'admission/factory.ts': [
        [
          'if (existing !== undefined) return this.#take',
          'if (existing !== undefined && managers.size < limits.of(userId)) return this.#take',
        ],
      ],
    },
  },
  {
    name: 'whoever leaves the queue is told so, and keeps its place',
    edits: { 'admission/factory.ts': [['    if (!queue.remove(place)) return;\n', '    void queue;\n']] },
  },
];

const mostWorlds = 2_000;
const root = join(import.meta.dirname, '..');

buildIfNeeded();
const copy = mkdtempSync(join(tmpdir(), 'mooring-planted-'));
try {
  for (const name of ['dist', 'package.json']) cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  console.log(row(['#', 'planted bug', 'worlds until found', 'promise broken', 'shown by the day']));
  console.log('|---:|---|---:|---|---|');
  if (worldsUntilFound().promise !== null) throw new Error('A world breaks a promise with no bug planted.');
  for (const [index, bug] of bugs.entries()) console.log(row([String(index + 1), ...tryOut(bug)]));
} finally {
  rmSync(copy, { recursive: true, force: true });
}

/** @param {Bug} bug @returns {string[]} */
function tryOut(bug) {
  for (const [file, edits] of Object.entries(bug.edits)) plant(file, edited(sourceOf(file), edits));
  const { worlds, promise } = worldsUntilFound();
  const found = [String(worlds), promise ?? 'none', isShownByDay() ? 'yes' : 'no'];
  for (const file of Object.keys(bug.edits)) plant(file, sourceOf(file));
  if (promise === null) process.exitCode = 1;
  return [bug.name, ...found];
}

/** @param {string} file */
function sourceOf(file) {
  return readFileSync(join(root, 'src/core', file), 'utf8');
}

/** @param {string} source @param {[from: string, to: string][]} edits */
function edited(source, edits) {
  return edits.reduce((text, [from, to]) => {
    if (text.split(from).length !== 2) throw new Error(`The sources have changed: this is not there once: ${from}`);
    return text.replace(from, () => to);
  }, source);
}

/** Into what was built of the core. @param {string} file @param {string} source */
function plant(file, source) {
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  const { outputText } = ts.transpileModule(source, { compilerOptions });
  writeFileSync(join(copy, 'dist/core', file.replace(/\.ts$/, '.js')), outputText);
}

/** @returns {{ worlds: number, promise: string | null }} */
function worldsUntilFound() {
  const script = `
    import { runScript } from './dist/simulation/script.js';
    import { smallWorld } from './dist/simulation/small-world.js';
    let promise = null;
    let worlds = 0;
    while (promise === null && worlds < ${mostWorlds})
      promise = (await runScript(smallWorld(++worlds)))?.invariant ?? null;
    process.stdout.write(JSON.stringify({ worlds, promise }), () => process.exit(0));`;
  return /** @type {{ worlds: number, promise: string | null }} */ (
    JSON.parse(run(['--input-type=module', '--eval', script]).stdout)
  );
}

/** Where a metric fails, a promise is broken, or the core throws. */
function isShownByDay() {
  const day = ['simulate', '--hours', '24', '--users', '600', '--seed', '7', '--json'];
  return run([join(copy, 'dist/cli/main.js'), ...day]).status === 1;
}

/** @param {string[]} args */
function run(args) {
  return spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8', maxBuffer: 2 ** 28 });
}

/** @param {string[]} cells */
function row(cells) {
  return `| ${cells.join(' | ')} |`;
}
