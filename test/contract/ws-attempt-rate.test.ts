import { createServer } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { attach } from '../../src/adapters/ws.js';
import { createMooring } from '../../src/index.js';
import { afterThisTest } from '../support/setup.js';
import { wsServer } from '../support/ws-server.js';

/** `open`, or the status it was refused with. */
function attempt(url: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const client = new WebSocket(url, { headers });
  afterThisTest(() => {
    client.terminate();
  });
  return new Promise((resolve) => {
    client.on('error', () => undefined);
    client.once('open', () => {
      resolve('open');
    });
    client.once('unexpected-response', (_, { statusCode }) => {
      resolve(String(statusCode));
    });
  });
}

describe('an attempt rate', () => {
  it('counts the addresses that keyOf gives by the /64 of IPv6, and IPv4 however it is written', async () => {
    const server = await wsServer({
      attach: { attemptRate: { limit: 2, keyOf: ({ headers }) => String(headers['x-real-ip']) } },
    });
    let thread = 0;
    const from = (address: string): Promise<string> =>
      attempt(server.url('ada', `thread_${String((thread += 1))}`), { 'x-real-ip': address });
    expect([await from('2001:db8::1'), await from('2001:db8::2'), await from('2001:db8::3')]).toEqual([
      'open',
      'open',
      '429',
    ]);
    expect(await from('2001:db8:0:1::1')).toBe('open');
    expect([await from('192.0.2.7'), await from('::ffff:192.0.2.7'), await from('192.0.2.7')]).toEqual([
      'open',
      'open',
      '429',
    ]);
  });

  it('does not count sockets without an address, and tells it once', async () => {
    const server = await wsServer({ ws: { noServer: true }, attach: { attemptRate: { limit: 1 } } });
    const directory = await mkdtemp(join(tmpdir(), 'mooring-'));
    const path = join(directory, 'socket');
    const http = createServer();
    http.on('upgrade', (request, stream, head) => {
      server.server.handleUpgrade(request, stream, head, () => undefined);
    });
    await new Promise<void>((resolve) => http.listen(path, resolve));
    afterThisTest(async () => {
      http.close();
      await rm(directory, { recursive: true });
    });
    const url = (thread: number): string => `ws+unix:${path}:/?userId=ada&threadId=thread_${String(thread)}`;
    expect([await attempt(url(1)), await attempt(url(2)), await attempt(url(3))]).toEqual(['open', 'open', 'open']);
    expect(server.said('attempts.uncounted')).toHaveLength(1);
  });

  it('whose keyOf fails counts nothing, and says so', async () => {
    const server = await wsServer({ attach: { attemptRate: { limit: 1, keyOf: () => undefined as never } } });
    expect(await attempt(server.url('ada', 'thread_1'))).toBe('open');
    expect(await attempt(server.url('ada', 'thread_2'))).toBe('open');
    expect(server.said('authentication.failed')[0]?.error).toBe(
      'TypeError: attemptRate.keyOf returned undefined, wanted a string',
    );
  });

  it.each([
    [{ limit: 0 }, 'attemptRate.limit: got 0, wanted an integer of at least 1'],
    [{ limit: 1.5 }, 'attemptRate.limit: got 1.5, wanted an integer of at least 1'],
    [{ limit: 1, windowMs: 0 }, 'attemptRate.windowMs: got 0, wanted milliseconds above 0'],
    [{ limit: 1, keyOf: 'ip' }, 'attemptRate.keyOf: got ip, wanted a function of the request'],
  ])('of the wrong kind (%j) is refused at once', (attemptRate, message) => {
    const server = new WebSocketServer({ noServer: true });
    const options = { mooring: createMooring({ env: {} }), authenticate: () => null };
    expect(() => attach(server, { ...options, attemptRate: attemptRate as never })).toThrow(new TypeError(message));
  });
});
