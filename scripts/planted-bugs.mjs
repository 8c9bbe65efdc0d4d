/** The bugs that `npm run plant` plants, and how. */

/**
 * @typedef {object} Bug
 * @property {string} name
 * @property {Record<string, [from: string, to: string][]>} edits by file below src/core; each `from` is there once
 */

/** @type {Bug[]} */
export const bugs = [
  {
    name: 'a release is announced before the slot is free',
    edits: {
      'managers/lifecycle.ts': [
        [
          '    if (!registry.remove(manager)) return false;\n    const lastActivityAtMs = manager.lastActivityAtMs;\n',
          '    const lastActivityAtMs = manager.lastActivityAtMs;\n    this.#announce(manager, { reason, closeCause, lastActivityAtMs, options });\n    if (!registry.remove(manager)) return false;\n',
        ],
        [
          'this.#freed(manager, options);\n    this.#announce(manager, { reason, closeCause, lastActivityAtMs, options });\n    const { connection }',
          'this.#freed(manager, options);\n    const { connection }',
        ],
      ],
    },
  },
  {
    name: 'the late close of a socket that was taken over ends its successor',
    edits: {
      'managers/lifecycle.ts': [['    if (!connection.isCurrent) return;\n    const isAway', '    const isAway']],
    },
  },
  {
    name: 'a close that follows a release releases again',
    edits: {
      'managers/lifecycle.ts': [
        ['    if (manager.isReleased) return false;\n', ''],
        ['if (!registry.remove(manager)) return false;', 'registry.remove(manager);'],
      ],
      'managers/managed-connection.ts': [
        ['this.manager.connection === this && !this.manager.isReleased', 'this.manager.connection === this'],
      ],
    },
  },
  {
    name: 'whoever leaves the queue keeps its place',
    edits: {
      'admission/admission.ts': [['    if (!queue.remove(place)) return;\n', '    if (queue.size > 0) return;\n']],
    },
  },
  {
    name: 'the count is kept by `++` and `--`, and a slot without a socket never subtracts',
    edits: {
      'managers/registry.ts': [
        ['    this.#size -= 1;\n    if (held', '    if (manager.connection !== null) this.#size -= 1;\n    if (held'],
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
          '    for (const { manager } of heldLast(connections)) {\n      if (waitingRoom.heardOf(userId) === 0) return;\n',
          '    let most = waitingRoom.heardOf(userId);\n    if (most === 0) return;\n    for (const { manager } of heldLast(connections)) {\n      if (most-- < 0) return;\n',
        ],
      ],
    },
  },
  {
    name: 'quiet is taken for silent: it counts from the last byte, whoever was asked',
    edits: {
      'liveness/probe.ts': [
        ['(unansweredSinceMs(connection) ?? this.#startedAtMs) + asked', 'connection.lastByteAtMs + asked'],
      ],
    },
  },
  {
    name: 'a ping of ours clears a suspect',
    edits: {
      'liveness/heartbeat.ts': [
        [
          '    if (!connection.isCurrent) return;\n    if (connection.bytesAtPing < 0',
          '    if (!connection.isCurrent) return;\n    this.#parts.suspicion.remove(connection);\n    if (connection.bytesAtPing < 0',
        ],
      ],
    },
  },
  {
    name: 'a reload ends a run: a held manager goes with its connection',
    edits: {
      'managers/lifecycle.ts': [['away.isFor(manager) && this', 'away.isFor(manager) && !manager.isHeld && this']],
    },
  },
  {
    name: 'who is away is not waited for as long as is configured',
    edits: {
      'managers/away.ts': [['timeoutMs: parts.resumeGraceMs', 'timeoutMs: parts.resumeGraceMs / 2']],
    },
  },
  {
    name: 'one missed heartbeat is death',
    edits: {
      'liveness/heartbeat.ts': [['connection.misses >= this.#parts.maxHeartbeatMisses', 'connection.misses >= 1']],
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
      'admission/admission.ts': [
        [
          'if (existing !== undefined) return this.#take',
          'if (existing !== undefined && registry.countOf(userId) < limits.of(userId)) return this.#take',
        ],
      ],
    },
  },
  {
    name: 'whoever leaves the queue is told so, and keeps its place',
    edits: { 'admission/admission.ts': [['    if (!queue.remove(place)) return;\n', '    void queue;\n']] },
  },
];

/**
 * The source with a bug in it.
 * @param {string} source
 * @param {[from: string, to: string][]} edits
 * @throws Error if the source has changed, so that an edit no longer fits
 */
export function edited(source, edits) {
  return edits.reduce((text, [from, to]) => {
    if (text.split(from).length !== 2) throw new Error(`The sources have changed: this is not there once: ${from}`);
    return text.replace(from, () => to);
  }, source);
}
