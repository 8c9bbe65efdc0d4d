import { describe, expect, it } from 'vitest';
import {
  createUserExecutionContext,
  isPending,
  MalformedContextError,
  type ManagedConnection,
  type UserExecutionContext,
} from '../../../src/index.js';
import { FakeConnection } from '../../../src/testing/index.js';
import { harness, remote, silent, type Harness } from '../support.js';

describe('connect', () => {
  it('gives the link and the manager of the socket', async () => {
    const h = harness();
    const transport = h.socket();
    const { connection, manager, refusal } = await h.mooring.connect(transport, {
      userId: 'ada',
      threadId: 'thread_1',
    });
    expect(refusal).toBeNull();
    expect(connection).toMatchObject({ transport, isCurrent: true, generation: 1 });
    expect(manager).toBe(h.mooring.getManager('ada:thread_1'));
  });

  it('returns a refusal, and closes the socket with its reason', async () => {
    const h = harness({ config: { maxManagersPerUser: 0 } });
    const { transport, connected } = h.arrive('ada', 'thread_1');
    const { connection, manager, refusal } = await connected;
    expect([connection, manager, refusal?.code]).toEqual([null, null, 'quota.exceeded']);
    expect(transport.closes).toEqual([refusal!.close]);
  });

  it.each([
    ['a user id that is empty', { userId: '', threadId: 'thread_1' }],
    ['no thread id', { userId: 'ada', threadId: undefined as unknown as string }],
    ['a thread id that is only the prefix', { userId: 'ada', threadId: 'thread_' }],
  ])('rejects %s with a typed error and closes the socket 1008', async (_, fields) => {
    const h = harness();
    const transport = h.socket();
    await expect(h.mooring.connect(transport, fields)).rejects.toThrow(MalformedContextError);
    expect(h.mooring.managerCount).toBe(0);
    expect(transport.closes).toMatchObject([{ code: 1008 }]);
  });

  it('turns away a socket that can not even be closed', async () => {
    const h = harness({ config: { maxManagersPerUser: 0 } });
    const { connected } = h.arrive('ada', 'thread_1', { throwsFrom: ['close', 'terminate'] });
    expect((await connected).refusal?.code).toBe('quota.exceeded');
  });

  it('attaches no socket that has closed already', async () => {
    const h = harness();
    const transport = h.socket();
    transport.vanish();
    const { refusal } = await h.mooring.connect(transport, { userId: 'ada', threadId: 'thread_1' });
    expect(refusal?.code).toBe('admission.cancelled');
    expect(h.countOf('ada')).toBe(0);
  });

  it('attaches a socket whose state cannot be read; it has to prove itself', async () => {
    const h = harness();
    await h.connect('ada', 'thread_1', { ...silent, throwsFrom: ['isOpen'] });
    expect(h.countOf('ada')).toBe(1);
    await h.time.advance(80_000);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'disconnected' }]);
  });

  it('keeps a socket whose state cannot be read but which answers', async () => {
    const h = harness();
    const { manager } = await h.connect('ada', 'thread_1', { ...remote, throwsFrom: ['isOpen'] });
    await h.time.advance(300_000);
    expect(manager.state).toBe('attached');
  });

  it('connects nobody who has vanished before, though there is room', async () => {
    const h = harness();
    const socket = h.socket();
    const fields = { userId: 'ada', threadId: 'thread_1' };
    const { refusal } = await h.mooring.connect(socket, fields, { signal: AbortSignal.abort() });
    expect(refusal?.code).toBe('admission.cancelled');
    expect(socket.closes).toHaveLength(1);
    expect(h.said('manager.admitted')).toEqual([]);
  });

  it('waits no longer than its signal', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    await h.connect('ada', 'thread_1', remote);
    const leaving = new AbortController();
    const fields = { userId: 'ada', threadId: 'thread_2' };
    const connecting = h.mooring.connect(h.socket(), fields, leaving);
    leaving.abort();
    expect((await connecting).refusal?.code).toBe('admission.cancelled');
    expect(h.countOf('ada')).toBe(1);
  });

  it('waits without a signal too', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    const first = await h.connect('ada', 'thread_1', remote);
    const connecting = h.mooring.connect(h.socket(), { userId: 'ada', threadId: 'thread_2' });
    first.transport.vanish();
    expect((await connecting).manager?.threadId).toBe('thread_2');
  });

  it('takes no notice of its signal once it is connected', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    const first = await h.connect('ada', 'thread_1', remote);
    const waiting = h.arrive('ada', 'thread_2', remote);
    first.transport.vanish();
    const { connection } = await waiting.connected;
    waiting.leave();
    expect(connection?.isCurrent).toBe(true);
    expect(h.mooring.disconnect(waiting.context)).toBe(true);
    expect(connection?.isCurrent).toBe(false);
  });

  it('throws what a context throws, and leaves the socket to the caller', async () => {
    const h = harness();
    const transport = h.socket();
    const fields = {
      threadId: 'thread_1',
      get userId(): string {
        throw new RangeError('no user');
      },
    };
    await expect(h.mooring.connect(transport, fields)).rejects.toThrow(new RangeError('no user'));
    expect(transport.closes).toEqual([]);
  });
});

describe('disconnect of the context a connection was made for', () => {
  it('ends that connection at once, whatever its socket does', async () => {
    const h = harness();
    const { context, transport } = await h.connect('ada', 'thread_1', silent);
    expect(h.mooring.disconnect(context)).toBe(true);
    expect(h.countOf('ada')).toBe(0);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'closed', closeCause: 'closed' }]);
    expect(transport.closes).toEqual([{ code: 1000, reason: 'closed' }]);
  });

  it('is late and ignored once the connection was replaced', async () => {
    const h = harness();
    const former = await h.connect('ada', 'thread_1', remote);
    const current = await h.connect('ada', 'thread_1', remote);
    expect(h.mooring.disconnect(former.context)).toBe(false);
    expect(current.connection.isCurrent).toBe(true);
    expect(h.countOf('ada')).toBe(1);
  });

  it('is late and ignored once the connection is gone and its key has another manager', async () => {
    const h = harness();
    const former = await h.connect('ada', 'thread_1', remote);
    former.transport.vanish();
    const current = await h.connect('ada', 'thread_1', remote);
    expect(h.mooring.disconnect(former.context)).toBe(false);
    expect(current.manager.state).toBe('attached');
  });

  it('ends nothing twice', async () => {
    const h = harness();
    const { context } = await h.connect('ada', 'thread_1', remote);
    h.mooring.disconnect(context);
    expect(h.mooring.disconnect(context)).toBe(false);
    expect(h.said('manager.released')).toHaveLength(1);
  });

  it('gives up the place of one that still waits', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    await h.connect('ada', 'thread_1', remote);
    const waiting = h.arrive('ada', 'thread_2', remote);
    expect(h.mooring.disconnect(waiting.context)).toBe(true);
    await h.time.settle();
    expect(waiting.outcome?.refusal?.code).toBe('admission.cancelled');
  });

  it.each(['a place', 'a slot'])('gives up %s that was granted in the same moment', async (granted) => {
    const h = harness({ config: { maxManagersPerUser: granted === 'a place' ? 1 : 20, takeoverFightLimit: 1 } });
    const threadId = granted === 'a place' ? 'thread_2' : 'thread_1';
    await h.connect('ada', 'thread_1', remote);
    const incumbent = await h.connect('ada', 'thread_1', remote);
    const waiting = h.arrive('ada', threadId, remote);
    incumbent.transport.vanish();
    expect(h.mooring.disconnect(waiting.context)).toBe(true);
    await h.time.settle();
    expect(waiting.outcome?.refusal?.code).toBe('admission.cancelled');
    expect(h.countOf('ada')).toBe(0);
  });

  it('leaves the manager to a successor that is pending', async () => {
    const h = harness();
    const { context, transport } = await h.connect('ada', 'thread_1', remote);
    const successor = h.ticket('ada', 'thread_1');
    expect(h.mooring.disconnect(context)).toBe(true);
    expect(transport.closes).toEqual([{ code: 1000, reason: 'closed' }]);
    expect(h.countOf('ada')).toBe(1);
    expect(h.open(successor).connection.generation).toBe(2);
  });

  it('of plain fields given to connect is that of the connection too', async () => {
    const h = harness();
    const [former, current] = [1, 2].map(() => ({ userId: 'ada', threadId: 'thread_1' }));
    await h.mooring.connect(h.socket(), former!);
    await h.mooring.connect(h.socket(), current!);
    expect(h.mooring.disconnect(former!)).toBe(false);
    expect(h.countOf('ada')).toBe(1);
    expect(h.mooring.disconnect(current!)).toBe(true);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'closed' }]);
  });
});

describe('disconnect of a context that was admitted apart from its socket, as adapters do', () => {
  const admitted = (h: Harness, context: UserExecutionContext): ManagedConnection => {
    const admission = h.mooring.decide(context);
    if (isPending(admission) || admission.ticket === null) throw new Error('it was not admitted at once');
    return admission.ticket.open(new FakeConnection({ time: h.time })).connection!;
  };
  const contextOf = () => createUserExecutionContext({ userId: 'ada', threadId: 'thread_1' });

  it('ends its connection', () => {
    const h = harness();
    const context = contextOf();
    const connection = admitted(h, context);
    expect(h.mooring.disconnect(context)).toBe(true);
    expect([connection.isCurrent, h.countOf('ada')]).toEqual([false, 0]);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'closed' }]);
  });

  it('is late and ignored once the connection was replaced', () => {
    const h = harness();
    const former = contextOf();
    admitted(h, former);
    const current = admitted(h, contextOf());
    expect(h.mooring.disconnect(former)).toBe(false);
    expect(current.isCurrent).toBe(true);
  });
});

describe('disconnect of a context that was admitted apart from its socket, once the manager is gone', () => {
  it('is late and ignored', () => {
    const h = harness();
    const { context, transport } = h.open(h.ticket('ada', 'thread_1'), remote);
    transport.vanish();
    expect(h.mooring.disconnect(context)).toBe(false);
  });
});

describe('disconnect of a context that was refused', () => {
  it('ComfyUI#16010: at once, does not end the connection that got in later', async () => {
    let limit = 0;
    const h = harness({ limitOf: () => limit });
    const turnedAway = h.arrive('ada', 'thread_1', remote);
    await turnedAway.connected;
    limit = 1;
    const current = await h.connect('ada', 'thread_1', remote);
    expect(h.mooring.disconnect(turnedAway.context)).toBe(false);
    expect(current.manager.state).toBe('attached');
  });

  it('ComfyUI#16010: after waiting, does not end the connection that got in later', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    const first = await h.connect('ada', 'thread_1', remote);
    const turnedAway = h.arrive('ada', 'thread_2', remote);
    await h.time.advance(1_000);
    first.transport.vanish();
    const current = await h.connect('ada', 'thread_2', remote);
    expect(h.mooring.disconnect(turnedAway.context)).toBe(false);
    expect(current.manager.state).toBe('attached');
  });

  it('ComfyUI#16010: because its socket had closed, does not end the connection that got in later', async () => {
    const h = harness();
    const { context } = h.ticket('ada', 'thread_1');
    const gone = h.socket();
    gone.vanish();
    await h.mooring.connect(gone, context);
    const current = await h.connect('ada', 'thread_1', remote);
    expect(h.mooring.disconnect(context)).toBe(false);
    expect(current.manager.state).toBe('attached');
  });
});

describe('disconnect of a context never passed to connect', () => {
  it('releases the manager of its key as requested', async () => {
    const h = harness();
    const { transport } = await h.connect('ada', 'thread_1', remote);
    expect(h.mooring.disconnect({ userId: 'ada', threadId: 'thread_1' })).toBe(true);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'requested' }]);
    expect(transport.closes).toEqual([{ code: 4412, reason: 'requested' }]);
  });

  it('does nothing where the key has no manager', () => {
    expect(harness().mooring.disconnect({ userId: 'ada', threadId: 'thread_1' })).toBe(false);
  });

  it('touches no other thread and no user whose id looks alike', async () => {
    const h = harness();
    for (const userId of ['a', 'a:b', 'a:thread_b', 'a%3Ab']) await h.fill(userId, 2, remote);
    h.mooring.disconnect({ userId: 'a', threadId: 'thread_1' });
    expect(h.said('manager.released')).toMatchObject([{ userId: 'a', threadId: 'thread_1' }]);
  });
});
