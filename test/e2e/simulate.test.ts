import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { smallWorld } from '../../src/simulation/small-world.js';
import { mooringCommand } from '../support/mooring-process.js';
import { afterThisTest } from '../support/setup.js';

/** Runs `mooring simulate` to its end. */
function simulate(...args: readonly string[]) {
  return runSimulate(mooringCommand, args);
}

/** The same, with this done to the core first. It runs the compiled modules: in the bundle no part can be replaced. */
function simulateBroken(code: string, ...args: readonly string[]) {
  const core = pathToFileURL(join(compiled, 'core/mooring.js')).href;
  const options = optionsToImport(`import { Mooring } from '${core}';\n${code}`);
  return runSimulate(join(compiled, 'cli/main.js'), args, { NODE_OPTIONS: options });
}

const compiled = join(import.meta.dirname, '../../dist');

function runSimulate(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawnSync(process.execPath, [command, 'simulate', ...args], {
    encoding: 'utf8',
    timeout: 60_000,
    env: { PATH: process.env['PATH'], ...env },
  });
  return { code: child.status, out: child.stdout, err: child.stderr };
}

/** Options of Node with which this runs before anything else. */
function optionsToImport(code: string): string {
  return `--import ${pathToFileURL(fileOf(code, 'broken.mjs')).href}`;
}

function fileOf(text: string, name = 'script.json'): string {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-script-'));
  afterThisTest(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const metrics = [
  '1  emergency cleanup time',
  '2  background effectiveness',
  '3  alert frequency',
  '4  accumulation',
  '5  connection success',
  '6  wrong refusals',
  '7  false kills',
];

describe('mooring simulate', () => {
  it('tells the seven metrics with verdicts, what happened, and that every promise was kept', () => {
    const { code, out, err } = simulate('--users', '1000', '--seed', '1');
    expect([code, err]).toEqual([0, '']);
    // Time in which the process stood still is not counted.
    expect(out).toMatch(
      /^reference: 1,000 users, 24 h, seed 1; [\d,]+ events in .*\nsuccess metrics since the start, 23 h 59 min\n/,
    );
    for (const metric of metrics) expect(out).toMatch(new RegExp(`^${metric} .* pass `, 'm'));
    for (const fact of ['wanted in', 'admitted', 'refused', 'released', 'most managers at once'])
      expect(out).toMatch(new RegExp(`^${fact} +\\S`, 'm'));
    expect(out).toMatch(/^healthy connections closed without a reason +0$/m);
    expect(out).toMatch(/^promises +all kept$/m);
  });

  it('says the same as JSON, every time', () => {
    const args = ['--hours', '2', '--users', '200', '--seed', '3', '--json'];
    const [one, other] = [simulate(...args), simulate(...args)].map(({ out }) => {
      const { realMs, ...report } = JSON.parse(out) as Record<string, unknown>;
      expect(realMs).toBeTypeOf('number');
      return report;
    });
    expect(one).toEqual(other);
    expect(one).toMatchObject({ scenario: 'reference', hours: 2, users: 200, seed: 3, violation: null });
  });

  it('sets the same day under the seed and under what was before it side by side', () => {
    const { out } = simulate('--hours', '6', '--users', '300', '--compare', 'seed', 'before');
    expect(out).toMatch(/^ +mooring +seed +before$/m);
    expect(out).toMatch(/^leak incidents \(user-hours\) +0 +[\d,]+ +[\d,]+$/m);
    expect(out).toMatch(/^ +with a lock-out +0 /m);
    expect(out).toMatch(/^100\.0 % fewer incidents than seed$/m);
    expect(out).toMatch(/^100\.0 % fewer incidents than before$/m);
  });

  it('asks what other settings would do', () => {
    const refused = (limit: number): number => {
      const { out } = simulate('--hours', '6', '--users', '200', '--json', '--set', `maxManagersPerUser=${limit}`);
      return (JSON.parse(out) as { refusals: Record<string, number> }).refusals['quota'] ?? 0;
    };
    expect(refused(2)).toBeGreaterThan(10 * refused(20));
  });

  it('ends with 1 where a metric fails, and says how to see that again', () => {
    const day = ['--scenario', 'hostile', '--hours', '6', '--users', '400', '--seed', '1', '--set', 'closeGrace=2s'];
    const { code, out } = simulate(...day);
    expect(out).toMatch(/^3 .* fail /m);
    expect(out).toMatch(/^promises +all kept\n\nReplay it with: /m);
    expect(out.trimEnd().split('\n').at(-1)).toBe(`Replay it with: npx mooring simulate ${day.join(' ')}`);
    expect(code).toBe(1);
    const asJson = simulate(...day, '--json');
    expect(JSON.parse(asJson.out)).toMatchObject({ scenario: 'hostile' });
    expect([asJson.code, asJson.err]).toEqual([1, `Replay it with: npx mooring simulate ${day.join(' ')}\n`]);
  });

  it('ends with 1 where nobody came, and says why', () => {
    const sentence = 'Nobody wanted in; simulate more users, or more hours: the day begins at its quietest hour.\n';
    const { code, out, err } = simulate('--hours', '0.1', '--users', '1');
    expect([code, err]).toEqual([1, '']);
    expect(out).toMatch(/^wanted in +0$/m);
    expect(out.slice(-sentence.length - 1)).toBe(`\n${sentence}`);
    expect(simulate('--hours', '0.1', '--users', '1', '--json')).toMatchObject({ code: 1, err: sentence });
  });

  it('says that the metrics of a long run are of its last day', () => {
    const { out } = simulate('--hours', '25', '--users', '20');
    expect(out).toMatch(/^success metrics over the last 2[34] h( \d+ min)?; the counts below are of the whole time$/m);
  });

  it('takes a limit of all managers that somebody set', () => {
    const { out } = simulate('--hours', '3', '--users', '50', '--set', 'maxTotalManagers=1');
    expect(out).toMatch(/^refused +capacity /m);
    expect(out).toMatch(/^most managers at once +1$/m);
    expect(out).toMatch(/^Replay it with: .* --set maxTotalManagers=1$/m);
  });

  it('ends at once on Ctrl-C, with 130', async () => {
    const tell = `process.on('newListener', (name) => { if (name === 'SIGINT') process.stderr.write('listens'); });`;
    const child = spawn(process.execPath, [mooringCommand, 'simulate', '--hours', '576', '--users', '1000'], {
      env: { PATH: process.env['PATH'], NODE_OPTIONS: optionsToImport(tell) },
    });
    afterThisTest(() => {
      child.kill('SIGKILL');
    });
    await once(child.stderr, 'data');
    await sleep(1_000); // into the day
    child.kill('SIGINT');
    const sentAtMs = performance.now();
    expect(await once(child, 'exit')).toEqual([130, null]);
    expect(performance.now() - sentAtMs).toBeLessThan(5_000);
    expect([child.stdout.read(), child.stderr.read()]).toEqual([null, null]);
  });

  it('runs a small world, and a script of one', () => {
    expect(simulate('--scenario', 'small', '--seed', '7')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^seed 7: every promise kept in \d+ steps\n$/) as string,
    });
    const file = fileOf(JSON.stringify(smallWorld(7)));
    expect(simulate('--script', file)).toEqual({ code: 0, out: 'every promise kept\n', err: '' });
  });

  it('takes an exception out of the core for a broken promise of a small world', () => {
    const broken = `Mooring.prototype.release = () => { throw new TypeError('planted'); };`;
    const { code, out, err } = simulateBroken(broken, '--scenario', 'small', '--seed', '9');
    expect([code, err]).toEqual([1, '']);
    expect(out).toMatch(/^Broken after \d+ ms: no exception: TypeError: planted\n {4}at .*broken\.mjs/);
    expect(out).toMatch(/^Replay it with: npx mooring simulate --scenario small --seed 9$/m);
    const script = /^The shortest script that fails so, 2 steps; .*:\n([^]+)$/m.exec(out)?.[1] ?? '';
    expect(simulateBroken(broken, '--script', fileOf(script))).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^Broken after \d+ ms: no exception: TypeError: planted\n/) as string,
    });
  });

  it.each([
    ['is thrown', `throw new TypeError('planted')`],
    ['is rejected unheard', `void Promise.reject(new TypeError('planted')); return decide.call(this, fields)`],
  ])('says how to see a day again in which something %s', (_, statement) => {
    const { code, out, err } = simulateBroken(
      `const { decide } = Mooring.prototype;
        Mooring.prototype.decide = function (fields) { ${statement}; };`,
      ...['--hours', '4', '--users', '50'],
    );
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/^Broken after \d+ ms: no exception: TypeError: planted\n {4}at .*broken\.mjs/);
    expect(err).toMatch(/\nReplay it with: npx mooring simulate --scenario reference --hours 4 --users 50 --seed 1\n$/);
  });

  it.each([
    [['--hours', '0'], /--hours <number>.*'0' is invalid\. Wanted a number above 0/],
    [['--hours', 'Infinity'], /--hours <number>.*'Infinity' is invalid\. Wanted a number above 0, at most 576/],
    [['--users', 'many'], /--users <number>.*'many' is invalid\. Wanted a whole number from 1 to 1000000/],
    [['--seed', '1.5'], /--seed <number>.*'1\.5' is invalid\. Wanted a whole number/],
    [['--scenario', 'quiet'], /Allowed choices are reference, deploy, storm, mobile, hostile, small/],
    [['--compare', 'after'], /Allowed choices are seed, before/],
    [['--set', 'idleManagerTimeout=soon'], /idleManagerTimeout/],
    [
      ['--scenario', 'small', '--json', '--compare', 'seed'],
      /^error: --compare and --json do nothing with --scenario small/,
    ],
    [['--script', 'failing.json', '--seed', '1'], /^error: --seed does nothing with --script/],
    [['--script', '/nowhere.json'], /--script \/nowhere\.json: ENOENT/],
  ])('refuses %j', (args, message) => {
    const { code, out, err } = simulate(...args);
    expect(code).toBe(2);
    expect([out, err]).toEqual(['', expect.stringMatching(message)]);
  });

  it.each([
    ['', 'Unexpected end of JSON input'],
    ['{', "Expected property name or '}' in JSON"],
    ['[]', 'the script: got [], wanted { seed, config, hasLedger, steps }'],
    ['{"seed":1}', 'steps: got nothing, wanted a list of steps'],
    ['{"seed":1,"steps":[null]}', 'steps[0]: got null, wanted a step'],
    ['{"seed":1,"steps":[{"do":"stall","forMs":1}]}', 'steps[0].atMs: got nothing, wanted milliseconds'],
    ['{"seed":1,"steps":[],"config":{"maxManagers":1}}', 'config.maxManagers: there is no such setting'],
  ])('refuses a script that is %j', (text, problem) => {
    const { code, out, err } = simulate('--script', fileOf(text));
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^mooring: The configuration has a mistake:\n {2}- --script .*script\.json: /);
    expect(err).toContain(problem);
  });
});
