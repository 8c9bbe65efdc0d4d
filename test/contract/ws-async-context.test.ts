import { AsyncLocalStorage, createHook, executionAsyncId } from 'node:async_hooks';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { context as otelContext, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { managerOf } from '../../src/adapters/ws.js';
import type { MooringEventName } from '../../src/index.js';
import { afterThisTest } from '../support/setup.js';
import { userOfQuery, wsServer, type WsServer, type WsServerOptions } from '../support/ws-server.js';

type Fields = ReturnType<typeof userOfQuery>;

const requests = new AsyncLocalStorage<string>();

/** The user and the thread of a request, as `ada thread_1`. */
function nameOf(request: IncomingMessage): string {
  const { userId, threadId } = userOfQuery(request);
  return `${userId} ${threadId}`;
}

type Around = (name: string, handle: () => void) => void;

const inStorage: Around = (name, handle) => {
  requests.run(name, handle);
};

/** A server whose application handles each upgrade in a context of its own. */
async function serverWithRequests(options: WsServerOptions, around: Around = inStorage) {
  const http = createServer();
  const server = await wsServer({ ...options, ws: { noServer: true } });
  http.on('upgrade', (request, stream, head) => {
    around(nameOf(request), () => {
      server.server.handleUpgrade(request, stream, head, (socket) => {
        server.server.emit('connection', socket, request);
      });
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  afterThisTest(() => {
    http.closeAllConnections();
    http.close();
  });
  const { port } = http.address() as AddressInfo;
  const dial = (userId: string, threadId: string): WebSocket => {
    const client = new WebSocket(`ws://127.0.0.1:${port}/?${new URLSearchParams({ userId, threadId }).toString()}`);
    client.on('error', () => undefined);
    afterThisTest(() => {
      client.terminate();
    });
    return client;
  };
  return { server, dial };
}

const quick = { heartbeatIntervalMs: 200, idleManagerTimeoutMs: 1_000, backgroundCleanupIntervalMs: 300 };

/** In whose context code of the application ran, and for whom. */
type Seen = [what: string, whom: string, context: string | undefined][];

function listen({ mooring }: WsServer, seen: Seen, names: MooringEventName[]): void {
  for (const name of names)
    mooring.on(name, (event) => {
      seen.push([name, 'threadId' in event ? `${event.userId} ${event.threadId}` : '', requests.getStore()]);
    });
}

describe('code of the application that Mooring calls', () => {
  it('in a release hook, sees the request in which the hook was registered, or none', async () => {
    const seen: Seen = [];
    const serve = (socket: WebSocket, request: IncomingMessage): void => {
      const note = () => void seen.push(['hook', nameOf(request), requests.getStore()]);
      managerOf(socket).onRelease(note);
      requests.exit(() => managerOf(socket).onRelease(note));
    };
    const { server, dial } = await serverWithRequests({ config: quick, serve });
    listen(server, seen, ['manager.released']);
    for (const user of ['ada', 'bob', 'cyd']) await once(dial(user, 'thread_1'), 'open');
    await server.hears('manager.released', ({ userId }) => userId === 'cyd');
    for (const user of ['ada', 'bob', 'cyd']) {
      const name = `${user} thread_1`;
      expect(seen.filter(([, whom]) => whom === name)).toEqual([
        ['manager.released', name, undefined],
        ['hook', name, name],
        ['hook', name, undefined],
      ]);
    }
  });

  it('in a listener, sees no request, although events come of requests', async () => {
    const seen: Seen = [];
    const { server, dial } = await serverWithRequests({});
    listen(server, seen, ['manager.admitted', 'connection.opened', 'connection.replaced', 'manager.released']);
    const first = dial('ada', 'thread_1');
    await once(first, 'open');
    const second = dial('ada', 'thread_1');
    await once(first, 'close');
    second.close();
    await server.hears('manager.released');
    expect(seen.map(([what]) => what)).toEqual([
      ...[
        'manager.admitted',
        'connection.opened',
        'connection.replaced',
        'connection.opened',
        'manager.released',
      ].slice(0, 3),
      'manager.released',
    ]);
    expect(seen.filter(([, , context]) => context !== undefined)).toEqual([]);
  });

  it('for an attempt that waited for a place, sees the request of this attempt', async () => {
    const seen: Seen = [];
    const serve = (_: WebSocket, request: IncomingMessage) =>
      void seen.push(['connection', nameOf(request), requests.getStore()]);
    const { server, dial } = await serverWithRequests({ config: { maxManagersPerUser: 1 }, serve });
    const first = dial('ada', 'thread_1');
    await once(first, 'open');
    const second = dial('ada', 'thread_2');
    await server.hears('admission.queued');
    first.close();
    await server.hears('connection.opened', ({ threadId }) => threadId === 'thread_2');
    await sleep(20);
    expect(seen).toEqual([
      ['connection', 'ada thread_1', 'ada thread_1'],
      ['connection', 'ada thread_2', 'ada thread_2'],
    ]);
    second.close();
  });

  it.each<[string, (fields: Fields) => PromiseLike<Fields>]>([
    ['a promise', (fields) => sleep(20).then(() => fields)],
    [
      'a thenable that is settled elsewhere',
      (fields) => ({
        then: (settle) =>
          new Promise((resolve) => {
            requests.exit(() => setTimeout(() => resolve(settle!(fields) as never), 20));
          }),
      }),
    ],
  ])('after authentication with %s, sees the request of the attempt', async (_, later) => {
    const seen: Seen = [];
    const { dial } = await serverWithRequests({
      serve: (_socket, request) => void seen.push(['connection', nameOf(request), requests.getStore()]),
      attach: { authenticate: (request) => later(userOfQuery(request)) as Promise<Fields> },
    });
    await Promise.all(['ada', 'bob'].map(async (user) => once(dial(user, 'thread_1'), 'open')));
    await sleep(20);
    expect(seen.map(([, whom, context]) => whom === context)).toEqual([true, true]);
  });

  it('when the server drains, sees the request of each attempt that is refused', async () => {
    const seen: Seen = [];
    const { server, dial } = await serverWithRequests({ attach: { authenticate: () => new Promise(() => undefined) } });
    server.server.on('headers', (_, request) => void seen.push(['headers', nameOf(request), requests.getStore()]));
    const closed = ['ada', 'bob'].map((user) => once(dial(user, 'thread_1'), 'close'));
    await sleep(100);
    await requests.run('operator', () => server.mooring.stop());
    await Promise.all(closed);
    expect(seen.filter(([, whom, context]) => context !== undefined && context !== whom)).toEqual([]);
  });

  it("when a newcomer takes a socket's place, the close event of the old socket sees its own request or none", async () => {
    const seen: Seen = [];
    const serve = (socket: WebSocket, request: IncomingMessage): void => {
      socket.on('close', () => void seen.push(['close', nameOf(request), requests.getStore()]));
    };
    const { server, dial } = await serverWithRequests({ config: { ...quick, maxManagersPerUser: 1 }, serve });
    const first = dial('ada', 'thread_1');
    await once(first, 'open');
    first.pause();
    await sleep(50);
    await once(dial('ada', 'thread_2'), 'open').catch(() => undefined);
    await server.hears('manager.released', ({ threadId }) => threadId === 'thread_1');
    await sleep(1_300);
    const ofFirst = seen.filter(([, whom]) => whom === 'ada thread_1');
    expect(ofFirst).toHaveLength(1);
    expect([undefined, 'ada thread_1']).toContain(ofFirst[0]![2]);
  });
});

describe("OpenTelemetry's context", () => {
  it('is that of its own request, or the root, wherever Mooring calls the application', async () => {
    otelContext.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    afterThisTest(() => {
      otelContext.disable();
    });
    const key = createContextKey('request');
    const seen: Seen = [];
    const now = (): string | undefined => otelContext.active().getValue(key) as string | undefined;
    const { server, dial } = await serverWithRequests(
      {
        config: quick,
        serve: (socket, request) => {
          seen.push(['connection', nameOf(request), now()]);
          managerOf(socket).onRelease(() => void seen.push(['hook', nameOf(request), now()]));
        },
      },
      (name, handle) => {
        otelContext.with(ROOT_CONTEXT.setValue(key, name), handle);
      },
    );
    server.mooring.on('manager.released', ({ userId, threadId }) => {
      seen.push(['listener', `${userId} ${threadId}`, now()]);
    });
    for (const user of ['ada', 'bob']) await once(dial(user, 'thread_1'), 'open');
    await server.hears('manager.released', ({ userId }) => userId === 'bob');
    expect(seen).toHaveLength(6);
    for (const [what, whom, context] of seen) expect(context).toBe(what === 'listener' ? undefined : whom);
  });
});

describe('users of async_hooks', () => {
  it('see every callback enter and leave in pairs', async () => {
    const entered: number[] = [];
    const odd: string[] = [];
    const hook = createHook({
      before: (id) => entered.push(id),
      after: (id) => {
        if (entered.pop() !== id) odd.push(`left ${id}`);
      },
    });
    const { server, dial } = await serverWithRequests({ config: quick });
    const ids: number[] = [];
    server.mooring.events.onAny(() => ids.push(executionAsyncId()));
    hook.enable();
    try {
      await once(dial('ada', 'thread_1'), 'open');
      await server.hears('manager.released');
    } finally {
      hook.disable();
    }
    expect(ids.every((id) => id > 0)).toBe(true);
    expect(odd.length).toBeLessThanOrEqual(1); // the callback that was running when the hook was enabled
  });
});
