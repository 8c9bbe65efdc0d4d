import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { readHours, readSeed, readUsers } from '../../../src/cli/commands/simulate-flags.js';
import { addSimulate } from '../../../src/cli/commands/simulate.js';

/** What is said to these arguments. */
async function errorOf(...args: string[]): Promise<string> {
  let said = '';
  const program = new Command('mooring').exitOverride().configureOutput({ writeErr: (text) => (said += text) });
  addSimulate(program);
  await expect(program.parseAsync(['simulate', ...args], { from: 'user' })).rejects.toThrow();
  return said;
}

describe('hours', () => {
  it.each([
    ['24', 24],
    ['0.1', 0.1],
    ['.5', 0.5],
    ['1.6', 1.6],
    ['576', 576],
  ])('may be %s', (text, hours) => {
    expect(readHours(text)).toBe(hours);
  });

  it.each(['', ' ', '0', '0.0', '-1', '576.1', '1e1', 'Infinity', 'NaN', '0x10', '1h', '.'])(
    'may not be "%s"',
    (text) => {
      expect(() => readHours(text)).toThrow('Wanted a number above 0, at most 576');
    },
  );
});

describe('users', () => {
  it.each(['1', '1000000'])('may be %s', (text) => {
    expect(readUsers(text)).toBe(Number(text));
  });

  it.each(['', '0', '0.5', '-1', '1000001', '1e12', 'Infinity'])('may not be "%s"', (text) => {
    expect(() => readUsers(text)).toThrow('Wanted a whole number from 1 to 1000000.');
  });
});

describe('the seed', () => {
  it.each(['0', '4294967295'])('may be %s', (text) => {
    expect(readSeed(text)).toBe(Number(text));
  });

  it.each(['', '-1', '1.5', '4294967296', '4294967297', 'seven'])('may not be "%s"', (text) => {
    expect(() => readSeed(text)).toThrow('Wanted a whole number from 0 to 4294967295.');
  });
});

describe('a flag that is wrong', () => {
  it.each([
    [['--hours', '0'], "option '--hours <number>' argument '0' is invalid. Wanted a number above 0"],
    [['--users', '0.5'], "option '--users <number>' argument '0.5' is invalid. Wanted a whole number from 1"],
    [['--seed', ''], "option '--seed <number>' argument '' is invalid. Wanted a whole number from 0"],
  ])('%j is told with what was got and wanted', async (args, message) => {
    expect(await errorOf(...args)).toContain(message);
  });
});

describe('a flag that would do nothing', () => {
  it.each([
    ['--hours', '3'],
    ['--users', '1000'], // the default, but said
    ['--set', 'maxManagersPerUser=1'],
    ['--env', 'staging'],
    ['--config', 'mooring.json'],
    ['--compare', 'seed'],
    ['--json'],
  ])('with a small world is refused: %s', async (flag, ...value) => {
    const said = await errorOf('--scenario', 'small', flag, ...value);
    expect(said).toMatch(new RegExp(`^error: ${flag} does nothing with --scenario small, which .*\\n$`));
  });

  it.each<string[]>([
    ['--hours', '3'],
    ['--users', '3'],
    ['--seed', '1'],
    ['--scenario', 'small'],
    ['--scenario', 'reference'],
    ['--set', 'maxManagersPerUser=1'],
    ['--env', 'staging'],
    ['--config', 'mooring.json'],
    ['--compare', 'seed'],
    ['--json'],
  ])('with a script is refused: %s', async (...args) => {
    const said = await errorOf('--script', 'failing.json', ...args);
    expect(said).toMatch(new RegExp(`^error: ${args[0]} does nothing with --script, whose .*\\n$`));
  });

  it('is named with all others', async () => {
    const said = await errorOf('--scenario', 'small', '--json', '--hours', '3', '--compare', 'seed');
    expect(said).toContain('error: --hours, --compare and --json do nothing with --scenario small, ');
  });
});
