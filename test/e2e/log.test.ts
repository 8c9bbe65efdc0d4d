import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { frame, handshake, rawClient } from '../support/raw-client.js';
import { mooringCommand } from '../support/mooring-process.js';
import { afterThisTest } from '../support/setup.js';

/** A server whose log is read up to the line that says where it listens, and no further until it is asked for. */
async function unreadServer(args: readonly string[] = []) {
  const command = [mooringCommand, 'serve', '--port', '0', '--no-admin', '--log-format', 'json', ...args];
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  afterThisTest(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  let text = '';
  const read = (chunk: Buffer): void => {
    text += chunk.toString();
  };
  child.stdout.on('data', read);
  while (!text.includes('listening on ')) await once(child.stdout, 'data');
  const port = Number(/ws:\/\/127\.0\.0\.1:(\d+)/.exec(text)?.[1]);
  child.stdout.off('data', read).pause();
  const readOn = async (until: string): Promise<string> => {
    child.stdout.on('data', read).resume();
    while (!text.includes(until)) await once(child.stdout, 'data');
    return text;
  };
  return { child, port, exited, readOn };
}

/** Connects and is refused or let in, again and again: each time the log has something to say. */
async function fillLog(port: number, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const client = await rawClient(port);
    client.socket.write(handshake(`/?user_id=${'x'.repeat(250)}${i}&thread_id=thread_1`));
    await client.hears('101 Switching');
    client.socket.destroy();
  }
}

describe('a reader of the log that stands still', () => {
  it('freezes nobody, and is told how many lines it missed when it reads on', async () => {
    // Far more than a pipe and the buffer behind it hold.
    const { port, readOn } = await unreadServer(['--log-level', 'debug', '--set', 'journalBytes=0']);
    const client = await rawClient(port);
    client.socket.write(handshake('/?user_id=ada&thread_id=thread_1'));
    await client.hears('101 Switching');
    await fillLog(port, 1_000);
    client.socket.write(frame('still here'));
    await client.hears('still here');
    const lines = (await readOn('"log.dropped')).trimEnd().split('\n');
    const told = lines.map((line) => JSON.parse(line) as { msg: string; lines?: number });
    expect(told.find(({ msg }) => msg.startsWith('log.dropped'))?.lines).toBeGreaterThan(0);
  });

  it('does not keep the server from its end', async () => {
    const { child, port, exited } = await unreadServer(['--log-level', 'debug']);
    await fillLog(port, 300);
    child.kill('SIGTERM');
    const [code] = (await exited) as [number];
    expect(code).toBe(0);
  });
});

describe('the log', () => {
  it('writes out what a terminal would obey in JSON too, which stays the same to machines', async () => {
    const { port, readOn } = await unreadServer(['--log-level', 'debug']);
    const user = 'eve\u202e\u3164';
    const client = await rawClient(port);
    client.socket.write(handshake(`/?user_id=${encodeURIComponent(user)}&thread_id=thread_1`));
    await client.hears('101 Switching');
    const line =
      (await readOn('"connection.opened"')).split('\n').find((one) => one.includes('manager.admitted')) ?? '';
    expect(line).toContain(String.raw`eve\u202e\u3164`);
    expect(JSON.parse(line)).toMatchObject({ userId: user });
  });

  it('has few lines of what one user causes again and again, and how many there were', async () => {
    const { child, port, readOn } = await unreadServer();
    for (let i = 0; i < 100; i++) {
      const clients = [await rawClient(port), await rawClient(port)];
      for (const client of clients) {
        client.socket.write(handshake(`/?user_id=mallory&thread_id=thread_${i}`));
        await client.hears('101 Switching');
      }
      for (const { socket } of clients) socket.destroy();
    }
    child.kill('SIGTERM');
    const lines = (await readOn('connection.replaced: more of the same')).trimEnd().split('\n');
    expect(lines.filter((line) => line.includes('"msg":"connection.replaced"'))).toHaveLength(20);
    expect(lines.filter((line) => line.includes('connection.replaced: more of the same'))).toHaveLength(1);
  });
});
