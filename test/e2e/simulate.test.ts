import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { smallWorld } from '../../src/simulation/small-world.js';
import { mooringCommand } from '../support/mooring-process.js';
import { afterThisTest } from '../support/setup.js';

/** Runs `mooring simulate` to its end. */
function simulate(...args: readonly string[]) {
  const child = spawnSync(process.execPath, [mooringCommand, 'simulate', ...args], {
    encoding: 'utf8',
    timeout: 60_000,
    env: { PATH: process.env['PATH'] },
  });
  return { code: child.status, out: child.stdout, err: child.stderr };
}

function fileOf(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-script-'));
  afterThisTest(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, 'script.json');
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
    expect(out).toMatch(/^reference: 1,000 users, 24 h, seed 1; [\d,]+ events in /);
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

  it('ends with 1 where a metric fails', () => {
    const { code, out } = simulate('--hours', '6', '--users', '400', '--scenario', 'hostile');
    expect(out).toMatch(/^3 .* fail /m);
    expect(out).toMatch(/^promises +all kept$/m);
    expect(code).toBe(1);
  });

  it('runs a small world, and a script of one', () => {
    expect(simulate('--scenario', 'small', '--seed', '7')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^seed 7: every promise kept in \d+ steps\n$/) as string,
    });
    const file = fileOf(JSON.stringify(smallWorld(7)));
    expect(simulate('--script', file)).toEqual({ code: 0, out: 'every promise kept\n', err: '' });
  });

  it.each([
    [['--hours', '0'], /--hours <number>.*'0' is invalid\. Wanted a number above 0/],
    [['--users', 'many'], /--users <number>.*'many' is invalid\. Wanted a number above 0/],
    [['--seed', '1.5'], /--seed <number>.*'1\.5' is invalid\. Wanted a whole number/],
    [['--scenario', 'quiet'], /Allowed choices are reference, deploy, storm, mobile, hostile, small/],
    [['--compare', 'after'], /Allowed choices are seed, before/],
    [['--set', 'idleManagerTimeout=soon'], /idleManagerTimeout/],
    [['--scenario', 'small', '--json', '--compare', 'seed'], /--json does not go with .*\n.*--compare does not go/],
    [['--script', '/nowhere.json'], /--script \/nowhere\.json: ENOENT/],
  ])('refuses %j', (args, message) => {
    const { code, out, err } = simulate(...args);
    expect(code).not.toBe(0);
    expect([out, err]).toEqual(['', expect.stringMatching(message)]);
  });

  it.each(['', '{', '{"seed":1}', '[]'])('refuses a script that is %j', (text) => {
    const { code, err } = simulate('--script', fileOf(text));
    expect([code, err]).toEqual([2, expect.stringContaining('--script ')]);
  });
});
