import { describe, expect, it } from 'vitest';
import { findManager, managerOf } from '../../src/adapters/socket-io.js';
import { dial } from '../support/ws-client.js';
import { wsServer } from '../support/ws-server.js';
import { endOf, joined, socketIoServer, ways } from '../support/socket-io-server.js';

describe.each(ways)('a client by %s', (way) => {
  it('is managed, and the limit holds', async () => {
    const server = await socketIoServer({ maxManagersPerUser: 2, attach: { refuse: 'connect_error' } });
    const first = await server.connected('ada', 1, { way });
    await server.connected('ada', 2, { way });
    const third = server.client('ada', 3, { way });
    expect(await endOf(third)).toMatch(/^connect_error quota;retry=/);
    expect(server.mooring.managerCountOf('ada')).toBe(2);
    expect(await first.emitWithAck('echo', 'hello')).toBe('hello');
    const [socket] = server.sockets('ada');
    expect(socket && managerOf(socket).threadId).toBe('thread_1');
    expect(socket && findManager(socket.conn)?.socket()).toBe(socket);
  });

  it('is taken over, is told so, and does not come back', async () => {
    const server = await socketIoServer();
    const first = await server.connected('ada', 1, { way });
    const told = new Promise((resolve) => first.once('mooring', resolve));
    const ended = endOf(first);
    const second = await server.connected('ada', 1, { way });
    expect(await told).toEqual({ cause: 'replaced', code: 4409, retryAfterMs: null, max: null });
    expect(await ended).toBe('disconnect io server disconnect');
    expect(first.active).toBe(false);
    expect(second.connected).toBe(true);
    expect(server.mooring.managerCountOf('ada')).toBe(1);
  });

  it('gives its place back when it leaves', async () => {
    const server = await socketIoServer({ maxManagersPerUser: 1 });
    const first = await server.connected('ada', 1, { way });
    first.disconnect();
    await expect.poll(() => server.mooring.managerCountOf('ada')).toBe(0);
    await server.connected('ada', 2, { way });
  });

  it('is held when it is refused, without a word, and comes back by itself', async () => {
    const server = await socketIoServer({ maxTotalManagers: 1, contestedRetryMs: 1_000 });
    const first = await server.connected('ada', 1, { way });
    const second = server.client('bob', 2, { way });
    const heard: string[] = [];
    second.on('connect_error', ({ message }) => heard.push(message));
    await expect.poll(() => server.said('admission.refused').length).toBe(1);
    first.disconnect();
    await joined(second);
    expect(heard).toEqual([]);
  });

  it('is let in after it had to wait', async () => {
    const server = await socketIoServer({ maxManagersPerUser: 1 });
    const first = await server.connected('ada', 1, { way });
    server.mooring.once('admission.queued', () => first.disconnect());
    const second = server.client('ada', 2, { way });
    await joined(second);
    expect(await second.emitWithAck('echo', 'hello')).toBe('hello');
  });

  it('is closed by an operator, and stays away', async () => {
    const server = await socketIoServer();
    const client = await server.connected('ada', 1, { way });
    const ended = endOf(client);
    server.mooring.releaseAll('ada');
    expect(await ended).toBe('disconnect io server disconnect');
    await expect.poll(() => server.io.engine.clientsCount).toBe(0);
  });

  it('comes back by itself when it was closed for a reason that passes', async () => {
    const server = await socketIoServer();
    const client = await server.connected('ada', 1, { way });
    const ended = endOf(client);
    server.mooring.releaseAll('ada', { closeCause: 'slow' });
    expect(await ended).toMatch(/^disconnect transport (?:close|error)$/);
    await joined(client);
  });
});

describe('with at: request', () => {
  it.each(ways)('a client by %s is admitted before its session is made', async (way) => {
    const server = await socketIoServer({
      maxManagersPerUser: 1,
      attach: {
        at: 'request',
        authenticate: ({ url = '' }) => {
          const query = new URL(url, 'http://x').searchParams;
          return { userId: query.get('userId') ?? '', threadId: query.get('threadId') ?? '' };
        },
      },
    });
    const first = await server.connected('ada', 1, { way });
    const [socket] = server.sockets('ada');
    expect(socket && managerOf(socket).threadId).toBe('thread_1');
    const second = server.client('ada', 2, { way, reconnection: false });
    expect(await endOf(second)).toMatch(/^connect_error/);
    expect(server.io.engine.clientsCount).toBe(1);
    const ended = endOf(first);
    await server.connected('ada', 1, { way });
    expect(await ended).toBe('disconnect io server disconnect');
  });

  it('asks the allowRequest of the application first', async () => {
    const asked: string[] = [];
    const server = await socketIoServer({
      io: {
        allowRequest: ({ url = '' }, callback) => {
          callback(null, !url.includes('bob'));
        },
      },
      attach: {
        at: 'request',
        authenticate: ({ url = '' }) => {
          asked.push(url.includes('bob') ? 'bob' : 'ada');
          return { userId: 'ada', threadId: 'thread_1' };
        },
      },
    });
    const bob = server.client('bob', 1, { reconnection: false });
    expect(await endOf(bob)).toMatch(/^connect_error/);
    await server.connected('ada', 1);
    expect(asked).toEqual(['ada']);
  });
});

describe('a client with reconnectWhenTold', () => {
  it('comes back after the time it was told, and says why it waits', async () => {
    const server = await socketIoServer({ maxTotalManagers: 1, contestedRetryMs: 1_000 });
    const first = await server.connected('ada', 1);
    const second = server.helped('bob', 2, { autoConnect: false });
    second.client.connect();
    await expect
      .poll(() => second.told.map(({ cause, retry }) => ({ cause, retry })))
      .toEqual([{ cause: 'capacity', retry: true }]);
    first.disconnect();
    await joined(second.client);
  });

  it('does not come back after a takeover, before it is told to', async () => {
    const server = await socketIoServer();
    const first = await server.helpedAndConnected('ada', 1);
    await server.connected('ada', 1);
    await expect.poll(() => first.told).toMatchObject([{ cause: 'replaced', retry: false, action: 'continue' }]);
    expect(first.client.active).toBe(false);
  });

  it('waits as long as it is told after a close', async () => {
    const server = await socketIoServer({ drainRetryMs: 60_000 });
    const first = await server.helpedAndConnected('ada', 1);
    await server.mooring.stop();
    await expect.poll(() => first.told).toMatchObject([{ cause: 'drain', retry: true }]);
    expect(first.told[0]?.delayMs).toBeGreaterThan(10_000);
    expect(first.client.active).toBe(false);
  });
});

describe('one Mooring over a ws server and a Socket.IO server', () => {
  it('keeps one limit', async () => {
    const plain = await wsServer({ maxManagersPerUser: 2 });
    const server = await socketIoServer({ shared: plain.mooring, attach: { refuse: 'connect_error' } });
    dial(plain.url('ada', 'thread_ws'));
    await plain.admits('thread_ws');
    await server.connected('ada', 1);
    expect(await endOf(server.client('ada', 2))).toMatch(/^connect_error quota/);
    expect(plain.mooring.managerCountOf('ada')).toBe(2);
  });
});
