import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mooringCommand, mooringNode } from '../support/mooring-process.js';

/** Runs `mooring` with its stdout going there. @returns its exit code, what comes out at the end, and what it complains of */
function into(redirection: string, args: readonly string[]) {
  const script = `"$@" ${redirection}; echo "\${PIPESTATUS[0]}" >&3`;
  const child = spawnSync('bash', ['-c', script, 'bash', mooringNode, mooringCommand, ...args], {
    encoding: 'utf8',
    timeout: 60_000,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
  return { code: Number(child.output[3]), out: child.stdout, err: child.stderr };
}

describe('mooring, when nobody reads on', () => {
  it.each([
    [['simulate', '--hours', '3', '--users', '50', '--json'], 0],
    [['simulate', '--hours', '3', '--users', '50'], 0],
    [['simulate', '--hours', '3', '--users', '50', '--set', 'maxTotalManagers=1'], 1],
    [['simulate', '--scenario', 'small'], 0],
    [['simulate', '--help'], 0],
    [['serve', '--print-config'], 0],
  ])('of %j ends without a word, with the exit code it would have had', (args, code) => {
    expect(into('| true', args)).toEqual({ code, out: '', err: '' });
  });

  it('but the first line ends without a word', () => {
    const { code, out, err } = into('| head -1', ['simulate', '--hours', '3', '--users', '50', '--json']);
    expect([code, out, err]).toEqual([0, '{\n', '']);
  });

  it.skipIf(!existsSync('/dev/full'))('and says so in a line when the disk is full', () => {
    const { code, err } = into('> /dev/full', ['serve', '--print-config']);
    expect([code, err]).toEqual([1, 'mooring: cannot write to stdout: ENOSPC: no space left on device, write\n']);
  });
});
