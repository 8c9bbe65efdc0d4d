import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { mooringCommand } from '../support/mooring-process.js';
import { afterThisTest } from '../support/setup.js';

/** Runs `mooring` with its stdout going there. @returns its exit code, what comes out at the end, and what it complains of */
function into(redirection: string, args: readonly string[]) {
  const script = `"$@" ${redirection}; echo "\${PIPESTATUS[0]}" >&3`;
  const child = spawnSync('bash', ['-c', script, 'bash', process.execPath, mooringCommand, ...args], {
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

describe('mooring events, when nobody reads on but the pipe is open', () => {
  /** An event stream that is as fast as it is read. */
  async function floodOfEvents() {
    let sentAtMs = Infinity;
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const event = `event: a\ndata: {"text":"${'x'.repeat(1_000)}"}\n\n`.repeat(100);
      const send = (): void => {
        sentAtMs = performance.now();
        if (response.write(event)) setImmediate(send);
        else response.once('drain', send);
      };
      send();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    afterThisTest(() => {
      server.close();
      server.closeAllConnections();
    });
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const isStuck = () => performance.now() - sentAtMs > 500;
    return { url, isStuck };
  }

  async function stuckEvents() {
    const { url, isStuck } = await floodOfEvents();
    const args = [mooringCommand, 'events', '--json', '--url', url];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    afterThisTest(() => {
      child.kill('SIGKILL');
    });
    while (!isStuck()) await sleep(50);
    return child;
  }

  it('ends with the first signal', async () => {
    const child = await stuckEvents();
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await Promise.race([exited, sleep(10_000, 'still there')])).toEqual([0, null]);
  });

  it('leaves the end of its last line to who reads after all', async () => {
    const child = await stuckEvents();
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    let text = '';
    for await (const part of child.stdout.setEncoding('utf8')) text += String(part);
    expect(await exited).toEqual([0, null]);
    expect(text.endsWith('"}\n')).toBe(true);
  });
});
