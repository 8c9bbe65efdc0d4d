import { describe, expect, it, vi } from 'vitest';
import type { MooringEventName } from '../../../src/index.js';
import { harness, remote, silent, type Client, type Harness } from '../support.js';

describe('a release', () => {
  it('frees the slot, serves the next, tells, closes and starts the hooks: in this order, in one call', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    const { manager, transport } = await h.connect('ada', 'thread_1', remote);
    h.arrive('ada', 'thread_2', remote);
    const seen: string[] = [];
    const note = (what: string) => {
      seen.push(`${what}: ${h.threadsOf('ada').join()} ${transport.closes.length}`);
    };
    h.mooring.on('manager.admitted', () => note('served'));
    h.mooring.on('manager.released', () => note('told'));
    manager.onRelease(() => note('hook'));
    h.mooring.release(manager.key);
    expect(seen).toEqual(['served: thread_2 0', 'told: thread_2 0', 'hook: thread_2 1']);
  });

  it('happens exactly once, whoever else asks', async () => {
    const h = harness();
    const { manager, transport, context } = await h.connect('ada', 'thread_1', remote);
    h.mooring.release(manager.key);
    h.mooring.release(manager.key);
    h.mooring.disconnect(context);
    transport.vanish();
    await h.stop();
    expect(h.said('manager.released')).toHaveLength(1);
    expect(transport.closes).toHaveLength(1);
  });

  it('asked for again from its own event is the same release', async () => {
    const h = harness();
    const { manager } = await h.connect('ada', 'thread_1');
    const again = vi.fn(() => h.mooring.release(manager.key));
    h.mooring.on('manager.released', again);
    expect(h.mooring.release(manager.key)).toBe(true);
    expect(again).toHaveReturnedWith(false);
  });

  it('tells generation, age, idle time and what the peer was told', async () => {
    const h = harness();
    const { transport } = await h.connect('ada', 'thread_1', remote);
    await h.time.advance(4_000);
    transport.message();
    await h.time.advance(1_000);
    h.mooring.releaseAll('ada');
    expect(h.said('manager.released')).toMatchObject([
      {
        ...{ key: 'ada:thread_1', generation: 1, ageMs: 5_000, idleMs: 1_000 },
        ...{ reason: 'requested', closeCause: 'requested', finding: null },
      },
    ]);
  });

  it('leaves a manager that says so', async () => {
    const h = harness();
    const { manager, connection } = await h.connect('ada', 'thread_1');
    h.mooring.release(manager.key);
    expect(manager.state).toBe('released');
    connection.received();
    connection.errored(new Error('late'));
    manager.reportError(new Error('late'));
    await h.time.advance(600_000);
    expect(h.said('manager.released')).toHaveLength(1);
  });

  it('at the close of its own socket is immediate, and nobody is told anything', async () => {
    const h = harness();
    const { transport } = await h.connect('ada', 'thread_1');
    transport.vanish();
    expect(h.countOf('ada')).toBe(0);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'closed', closeCause: null }]);
    expect(transport.closes).toEqual([]);
  });
});

describe('what the peer is told', () => {
  type Act = (h: Harness, client: Client) => unknown;
  const table: { reason: string; act: Act; code: number; text: RegExp; isSilent?: true }[] = [
    {
      reason: 'requested',
      act: (h, { manager }) => h.mooring.release(manager.key),
      code: 4412,
      text: /^requested$/,
    },
    { reason: 'idle', act: (h) => h.time.advance(660_000), code: 4408, text: /^idle$/ },
    { reason: 'disconnected', act: (h) => h.time.advance(80_000), code: 1013, text: /^silent$/, isSilent: true },
    {
      reason: 'error',
      act: async (h, { manager }) => {
        manager.fail(new Error('broken'));
        await h.time.advance(60_000);
      },
      code: 1012,
      text: /^error$/,
    },
    {
      reason: 'evicted',
      act: async (h) => {
        await h.time.advance(60_000);
        h.arrive('ada', 'thread_2', remote);
        await h.time.advance(1_000);
      },
      code: 4410,
      text: /^evicted$/,
    },
    { reason: 'shutdown', act: (h) => h.stop(), code: 1012, text: /^drain;retry=\d+\.\d\d$/ },
  ];
  it.each(table)('of a manager released as $reason is $code', async ({ reason, act, code, text, isSilent }) => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    const client = await h.connect('ada', 'thread_1', isSilent ? silent : remote);
    await act(h, client);
    expect(h.said('manager.released')[0]).toMatchObject({ threadId: 'thread_1', reason });
    expect(client.transport.closes).toEqual([{ code, reason: expect.stringMatching(text) as string }]);
  });

  it.each<[string, (h: Harness, client: Client) => unknown]>([
    ['of a thread', (h, { manager }) => h.mooring.release(manager.key, { closeCause: 'unauthenticated' })],
    ['of all threads', (h) => h.mooring.releaseAll('ada', { closeCause: 'unauthenticated' })],
  ])('is, for a release %s, the cause that the application gives', async (_, release) => {
    const h = harness();
    const client = await h.connect('ada', 'thread_1', remote);
    release(h, client);
    expect(client.transport.closes).toEqual([{ code: 4401, reason: 'unauthenticated' }]);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'requested', closeCause: 'unauthenticated' }]);
  });

  it.each([
    ['who was logged out everywhere, are refused', { closeCause: 'unauthenticated' }, 'manager.released', 0],
    ['whose connections were released to make room, get the slots', {}, undefined, 1],
  ] as const)('of newcomers that wait, of a user %s', async (_, request, code, left) => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    await h.connect('ada', 'thread_1', remote);
    const newcomer = h.arrive('ada', 'thread_2', remote);
    expect(h.mooring.waitingCountOf('ada')).toBe(1);
    expect(h.mooring.releaseAll('ada', request)).toBe(1);
    await h.time.settle();
    expect(newcomer.outcome?.refusal?.code).toBe(code);
    expect(h.countOf('ada')).toBe(left);
    expect(h.mooring.waitingCountOf('ada')).toBe(0);
  });

  it('cannot be a cause that does not exist: then nothing is released', async () => {
    const h = harness();
    const { manager } = await h.connect('ada', 'thread_1', remote);
    const request = { closeCause: 'logged-out' as never };
    const problem = /closeCause: got "?'?logged-out'?"?, wanted one of quota, .*, unauthenticated/;
    expect(() => h.mooring.release(manager.key, request)).toThrow(problem);
    expect(() => h.mooring.releaseAll('ada', request)).toThrow(problem);
    expect(h.countOf('ada')).toBe(1);
  });

  it('follows the close-code profile', async () => {
    const h = harness({ config: { closeCodes: { requested: 4999, replaced: 4998 } } });
    const first = await h.connect('ada', 'thread_1');
    const second = await h.connect('ada', 'thread_1');
    h.mooring.releaseAll('ada');
    expect(first.transport.closes).toEqual([{ code: 4998, reason: 'replaced' }]);
    expect(second.transport.closes).toEqual([{ code: 4999, reason: 'requested' }]);
  });
});

describe('a socket that throws from', () => {
  it.each(['ping', 'close', 'terminate', 'isOpen'] as const)('%s holds no slot', async (from) => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    const { manager } = await h.connect('ada', 'thread_1', { ...silent, throwsFrom: [from] });
    expect(h.mooring.release(manager.key)).toBe(true);
    expect(h.countOf('ada')).toBe(0);
    await h.time.advance(1_000);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'requested' }]);
  });

  it.each(['ping', 'close', 'terminate', 'isOpen'] as const)('%s stops no run', async (from) => {
    const h = harness({ config: { maxManagersPerUser: 3 } });
    await h.connect('ada', 'thread_1', { ...silent, throwsFrom: [from] });
    await h.connect('ada', 'thread_2', { ...remote, throwsFrom: [from] });
    await h.connect('ada', 'thread_3', silent);
    const newcomers = [h.arrive('ada', 'thread_4', remote), h.arrive('ada', 'thread_5', remote)];
    await h.time.advance(3_000);
    expect(newcomers.map(({ outcome }) => outcome?.refusal)).toEqual([null, null]);
    expect(h.said('cleanup.failed')).toEqual([]);
  });

  it.each(['ping', 'close', 'terminate', 'isOpen'] as const)('%s is no obstacle to a takeover', async (from) => {
    const h = harness();
    await h.connect('ada', 'thread_1', { ...silent, throwsFrom: [from] });
    expect((await h.connect('ada', 'thread_1')).connection.generation).toBe(2);
    await h.time.advance(2_000);
    expect(h.countOf('ada')).toBe(1);
  });

  it('everything is released by the heartbeat all the same', async () => {
    const h = harness();
    await h.connect('ada', 'thread_1', { ...silent, throwsFrom: ['ping', 'close', 'terminate', 'isOpen'] });
    await h.time.advance(80_000);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'disconnected' }]);
  });
});

describe('a listener', () => {
  const everyStep: MooringEventName[] = [
    'manager.admitted',
    'connection.opened',
    'admission.queued',
    'manager.released',
  ];

  it('that throws is reported and breaks nothing', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    for (const name of everyStep) h.mooring.on(name, () => throwing());
    const { transport } = await h.connect('ada', 'thread_1', remote);
    const next = h.arrive('ada', 'thread_2', remote);
    transport.vanish();
    await h.time.settle();
    expect(next.outcome?.refusal).toBeNull();
    expect(new Set(h.said('listener.failed').map(({ event }) => event))).toEqual(new Set(everyStep));
    expect(h.said('listener.failed')[0]!.error).toBe('Error: listener');
  });

  it('that throws when it is told so is not told again', async () => {
    const h = harness();
    h.mooring.events.onAny(() => throwing());
    await h.connect('ada', 'thread_1');
    expect(h.countOf('ada')).toBe(1);
    expect(h.said('listener.failed').map(({ event }) => event)).toEqual(['manager.admitted', 'connection.opened']);
  });

  it('that rejects is reported and no unhandled rejection', async () => {
    const h = harness();
    const listener = (): unknown => Promise.reject(new Error('listener'));
    h.mooring.on('manager.admitted', listener);
    await h.connect('ada', 'thread_1');
    await h.time.settle();
    expect(h.said('listener.failed')).toMatchObject([{ event: 'manager.admitted', error: 'Error: listener' }]);
  });

  it('that never ends holds nothing up', async () => {
    const h = harness();
    const listener = (): unknown => new Promise(() => {});
    h.mooring.on('manager.released', listener);
    const { transport } = await h.connect('ada', 'thread_1');
    transport.vanish();
    expect(h.countOf('ada')).toBe(0);
  });

  it('may admit and release in the middle of a release', async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    const [first, second] = await h.fill('ada', 2, remote);
    const stop = h.mooring.on('manager.released', () => {
      stop();
      h.mooring.release(second!.manager.key);
      h.ticket('ada', 'thread_3');
    });
    first!.transport.vanish();
    expect(h.threadsOf('ada')).toEqual(['thread_3']);
  });
});

function throwing(): never {
  throw new Error('listener');
}

describe('the event of a release', () => {
  it('says how old the manager was, and how long nothing was heard', async () => {
    const h = harness();
    await h.time.advance(2_000);
    const { manager, transport } = await h.connect('ada', 'thread_1', remote);
    await h.time.advance(3_000);
    transport.message();
    await h.time.advance(500);
    h.mooring.release(manager.key);
    expect(h.said('manager.released')).toMatchObject([{ ageMs: 3_500, idleMs: 500, silentMs: 500 }]);
  });

  it('has the cause that was noted, where it waited for a successor that did not come', async () => {
    const h = harness({ config: { heartbeatIntervalMs: 1_000, slowConsumerTimeoutMs: 3_000 } });
    const { transport } = await h.connect('ada', 'thread_1', silent);
    transport.sendStuck();
    await h.time.advance(1_000);
    h.ticket('ada', 'thread_1');
    await h.time.advance(9_999);
    expect(h.countOf('ada')).toBe(1);
    await h.time.advance(1);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'disconnected', closeCause: 'slow' }]);
    expect(transport.closes).toMatchObject([{ code: 1013, reason: 'slow' }]);
  });
});
