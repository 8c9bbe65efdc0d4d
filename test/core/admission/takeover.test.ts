import { describe, expect, it, vi } from 'vitest';
import { isPending } from '../../../src/index.js';
import { harness, remote, silent, type Client, type Harness } from '../support.js';

/** Takes `thread_1` of ada over `times` times, `everyMs` apart. */
async function takeOver(h: Harness, times: number, everyMs = 100): Promise<Client[]> {
  const clients: Client[] = [];
  for (let i = 0; i < times; i++) {
    clients.push(await h.connect('ada', 'thread_1', remote));
    await h.time.advance(everyMs);
  }
  return clients;
}

describe('a newer connection of a thread', () => {
  const taken = async (options = remote) => {
    const h = harness();
    const former = await h.connect('ada', 'thread_1', options);
    await h.time.advance(1_000);
    return { h, former, successor: await h.connect('ada', 'thread_1', remote) };
  };

  it('takes over the manager and its slot', async () => {
    const { h, former, successor } = await taken();
    expect(successor.manager).toBe(former.manager);
    expect(h.countOf('ada')).toBe(1);
    expect(h.said('manager.admitted')).toHaveLength(1);
  });

  it('is of the next generation, and says so', async () => {
    const { h, former, successor } = await taken();
    expect([former.connection.generation, successor.connection.generation]).toEqual([1, 2]);
    expect(successor.manager.context).toBe(successor.context);
    expect(h.said('connection.replaced')).toMatchObject([{ threadId: 'thread_1', generation: 2 }]);
  });

  it('closes the former with 4409 replaced', async () => {
    const { former, successor } = await taken();
    expect(former.transport.closes).toEqual([{ code: 4409, reason: 'replaced' }]);
    expect(successor.transport.closes).toEqual([]);
  });

  it('closes the former only when its own socket is open', async () => {
    const h = harness();
    const { transport } = await h.connect('ada', 'thread_1');
    const ticket = h.ticket('ada', 'thread_1');
    expect(transport.closes).toEqual([]);
    h.open(ticket);
    expect(transport.closes).toEqual([{ code: 4409, reason: 'replaced' }]);
  });

  it('destroys a former that does not answer its close', async () => {
    const { h, former } = await taken(silent);
    expect(former.transport.isTerminated).toBe(false);
    await h.time.advance(1_000);
    expect(former.transport.isTerminated).toBe(true);
  });

  it('does not call onRelease, but keeps the hooks for the end', async () => {
    const h = harness();
    const hook = vi.fn();
    (await h.connect('ada', 'thread_1')).manager.onRelease(hook);
    const { transport } = await h.connect('ada', 'thread_1');
    expect(hook).not.toHaveBeenCalled();
    transport.vanish();
    expect(hook).toHaveBeenCalledOnce();
  });

  it('keeps the holds', async () => {
    const h = harness();
    const { manager } = await h.connect('ada', 'thread_1');
    const letGo = manager.hold();
    await h.connect('ada', 'thread_1');
    expect(manager.isHeld).toBe(true);
    letGo();
    expect(manager.isHeld).toBe(false);
  });

  it('counts as activity, and clears what failed before', async () => {
    const h = harness();
    const { manager } = await h.connect('ada', 'thread_1', remote);
    await h.time.advance(50_000);
    manager.fail(new Error('reset'));
    manager.reportError(new Error('odd'));
    await h.connect('ada', 'thread_1', remote);
    expect(manager).toMatchObject({ lastActivityAtMs: 50_000, hasFailed: false, errorReportedAtMs: null });
  });

  it('is admitted though the quota is full', async () => {
    const h = harness({ config: { maxManagersPerUser: 3 } });
    await h.fill('ada', 3);
    expect((await h.connect('ada', 'thread_2')).connection.generation).toBe(2);
    expect(h.countOf('ada')).toBe(3);
  });

  it('is admitted though the limit is 0 by now', async () => {
    let limit = 1;
    const h = harness({ limitOf: () => limit });
    await h.connect('ada', 'thread_1');
    limit = 0;
    expect((await h.connect('ada', 'thread_1')).connection.generation).toBe(2);
  });

  it('does not take over the thread of another user', async () => {
    const h = harness();
    await h.connect('ada', 'thread_1');
    expect((await h.connect('bob', 'thread_1')).connection.generation).toBe(1);
  });
});

describe('what a former connection still says', () => {
  const late: [string, (former: Client) => void][] = [
    ['its close', ({ transport }) => transport.vanish()],
    ['its error', ({ connection }) => connection.errored(new Error('reset'))],
    ['its pong', ({ connection }) => connection.ponged('m1.x')],
    ['its message', ({ connection }) => connection.received()],
    ['what it sent', ({ connection }) => connection.sent(true)],
  ];
  it.each(late)('ComfyUI#16010: %s changes nothing', async (_, say) => {
    const h = harness();
    const former = await h.connect('ada', 'thread_1', silent);
    const successor = await h.connect('ada', 'thread_1');
    await h.time.advance(500);
    say(former);
    expect(successor.connection.isCurrent).toBe(true);
    expect(successor.manager).toMatchObject({ state: 'attached', hasFailed: false, lastActivityAtMs: 0 });
    expect(h.countOf('ada')).toBe(1);
  });

  it('ComfyUI#16010: a close after the slot went to another manager of the key changes nothing', async () => {
    const h = harness();
    const former = await h.connect('ada', 'thread_1', silent);
    h.mooring.release(former.manager.key);
    const next = await h.connect('ada', 'thread_1');
    former.transport.vanish();
    expect(next.manager.state).toBe('attached');
    expect(h.threadsOf('ada')).toEqual(['thread_1']);
  });
});

describe('reconnecting', () => {
  it.each([100, 300, 1_100, 5_000])('over 50 dead predecessors, %i ms apart, always gets in', async (everyMs) => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    for (let i = 0; i < 50; i++) {
      const arrival = h.arrive('ada', 'thread_1', silent);
      await h.time.advance(3_000);
      expect(arrival.outcome?.refusal).toBeNull();
      await h.time.advance(everyMs);
    }
    expect(h.said('admission.refused')).toEqual([]);
    expect(h.said('manager.admitted')).toHaveLength(1);
    expect(h.countOf('ada')).toBe(1);
  });

  it('after the close of each predecessor is never a fight', async () => {
    const h = harness();
    for (let i = 0; i < 50; i++) (await h.connect('ada', 'thread_1', remote)).transport.vanish();
    expect(h.said('admission.refused')).toEqual([]);
    expect(h.said('manager.admitted')).toHaveLength(50);
  });

  it('over a predecessor that is not open, but has not said so, is no takeover that counts', async () => {
    const h = harness();
    for (let i = 0; i < 50; i++)
      (await h.connect('ada', 'thread_1', silent)).transport.closes.push({ code: 1, reason: '' });
    expect(h.said('admission.refused')).toEqual([]);
  });
});

describe('a slower attempt that arrived before the one that has the ticket', () => {
  const lateOutcome = (h: Harness, arrival: number) => {
    const outcome = h.mooring.decide({ userId: 'ada', threadId: 'thread_1' }, { arrival });
    return isPending(outcome) ? 'pending' : outcome.refusal?.code;
  };

  it('is refused as replaced, though their predecessor is dead', async () => {
    const h = harness();
    (await h.connect('ada', 'thread_1', silent)).transport.closes.push({ code: 1006, reason: '' });
    const arrival = h.mooring.arrivals.begin();
    const newer = h.ticket('ada', 'thread_1');
    expect(lateOutcome(h, arrival)).toBe('key.replaced');
    expect(h.open(newer).connection.generation).toBe(2);
  });

  it('is refused as replaced, though the other one had to win a fight', async () => {
    const h = harness({ config: { takeoverFightLimit: 1 } });
    for (let i = 0; i < 2; i++) await h.connect('ada', 'thread_1', silent);
    const arrival = h.mooring.arrivals.begin();
    const winner = h.wait('ada', 'thread_1');
    await h.time.advance(3_000);
    const { ticket } = await winner.settled;
    expect(lateOutcome(h, arrival)).toBe('key.replaced');
    expect(h.open(ticket!).connection.generation).toBe(3);
  });
});

describe('two live clients that fight for a thread', () => {
  const refusedAfter = async (takeovers: number, everyMs = 100) => {
    const h = harness();
    const clients = await takeOver(h, takeovers + 1, everyMs);
    const newcomer = h.arrive('ada', 'thread_1', remote);
    await h.time.advance(20);
    return { h, incumbent: clients.at(-1)!, newcomer };
  };

  it.each([0, 1, 4])('may take it over after %i takeovers', async (takeovers) => {
    const { newcomer } = await refusedAfter(takeovers);
    expect(newcomer.outcome?.refusal).toBeNull();
  });

  it('manabrew#600: are settled in favour of the one that holds it', async () => {
    const { h, incumbent, newcomer } = await refusedAfter(5);
    expect(newcomer.outcome?.refusal?.code).toBe('key.contested');
    expect(incumbent.connection.isCurrent).toBe(true);
    expect(incumbent.transport.closes).toEqual([]);
    expect(h.said('admission.refused')).toMatchObject([{ code: 'key.contested', closeCause: 'contested' }]);
  });

  it('manabrew#600, ComfyUI#549: come to rest although neither gives up', async () => {
    const h = harness();
    for (let i = 0; i < 100; i++) {
      h.arrive('ada', 'thread_1', remote);
      await h.time.advance(100);
    }
    expect(h.said('connection.replaced')).toHaveLength(5);
    expect(h.countOf('ada')).toBe(1);
  });

  it('are told 1013 contested, and to come back in 10 s ± 50 %', async () => {
    const { newcomer } = await refusedAfter(5);
    const [close] = newcomer.transport.closes;
    expect(close).toEqual({ code: 1013, reason: expect.stringMatching(/^contested;retry=\d+\.\d\d$/) as string });
    const retry = Number(/[\d.]+$/.exec(close!.reason)![0]);
    expect(retry).toBeGreaterThanOrEqual(5);
    expect(retry).toBeLessThanOrEqual(15);
  });

  it('are not fighting if it takes them longer than 10 s', async () => {
    const { newcomer } = await refusedAfter(5, 2_001);
    expect(newcomer.outcome?.refusal).toBeNull();
  });

  it('may fight again 10 s after the takeovers', async () => {
    const { h } = await refusedAfter(5);
    await h.time.advance(10_000);
    expect((await h.connect('ada', 'thread_1', remote)).connection.generation).toBe(7);
  });

  it.each([
    [9_999, 'contested'],
    [10_000, 'admitted'],
  ])('of which the last takeover was %i ms ago: %s', async (agoMs, outcome) => {
    const h = harness({ config: { takeoverFightLimit: 1 } });
    for (let i = 0; i < 2; i++) await h.connect('ada', 'thread_1', remote);
    await h.time.advance(agoMs);
    const admission = h.admit('ada', 'thread_1');
    expect(isPending(admission) ? 'contested' : 'admitted').toBe(outcome);
    if (isPending(admission)) admission.cancel();
  });

  it('do not begin with a ticket that replaces another', async () => {
    const h = harness({ config: { takeoverFightLimit: 1 } });
    h.ticket('ada', 'thread_1');
    h.open(h.ticket('ada', 'thread_1'), remote);
    expect((await h.connect('ada', 'thread_1', remote)).connection.generation).toBe(2);
  });
});

describe('a newcomer to a fight', () => {
  const contest = async () => {
    const h = harness();
    const incumbent = (await takeOver(h, 6)).at(-1)!;
    incumbent.transport.fallSilent();
    incumbent.connection.roundTripMs = 20;
    return { h, incumbent, newcomer: h.arrive('ada', 'thread_1', remote) };
  };

  it('takes over an incumbent that is a suspect', async () => {
    const { h, incumbent, newcomer } = await contest();
    await h.time.advance(2_999);
    expect(newcomer.outcome).toBeNull();
    await h.time.advance(1);
    expect(newcomer.outcome?.refusal).toBeNull();
    expect(incumbent.transport.closes).toEqual([{ code: 4409, reason: 'replaced' }]);
  });

  it('does not add to the fight by that', async () => {
    const h = harness();
    const incumbent = (await takeOver(h, 6, 1_500)).at(-1)!;
    incumbent.transport.fallSilent();
    incumbent.connection.roundTripMs = 20;
    h.arrive('ada', 'thread_1', remote);
    await h.time.advance(3_000);
    expect((await h.connect('ada', 'thread_1', remote)).connection.generation).toBe(8);
  });

  it('takes over at once when the incumbent closes', async () => {
    const { h, incumbent, newcomer } = await contest();
    incumbent.transport.vanish();
    await h.time.settle();
    expect(newcomer.outcome?.refusal).toBeNull();
    expect(h.said('manager.released')).toEqual([]);
  });

  it('is replaced by a newer one', async () => {
    const { h, newcomer } = await contest();
    const newest = h.arrive('ada', 'thread_1', remote);
    await h.time.advance(3_000);
    expect(newcomer.outcome?.refusal?.code).toBe('key.replaced');
    expect(newcomer.transport.closes).toEqual([{ code: 4409, reason: 'replaced' }]);
    expect(newest.outcome?.refusal).toBeNull();
  });

  it('may vanish, and the incumbent stays', async () => {
    const { h, incumbent, newcomer } = await contest();
    newcomer.vanish();
    await h.time.advance(2_000);
    expect(newcomer.outcome?.refusal?.code).toBe('admission.cancelled');
    expect(incumbent.connection.isCurrent).toBe(true);
  });

  it('leaves one manager when it vanishes after the incumbent closed', async () => {
    const { h, incumbent, newcomer } = await contest();
    newcomer.vanish();
    incumbent.transport.vanish();
    await h.time.settle();
    expect(h.countOf('ada')).toBe(0);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'closed' }]);
  });

  it('is told when the manager is released on request', async () => {
    const { h, incumbent, newcomer } = await contest();
    h.mooring.release(incumbent.manager.key, { closeCause: 'unauthenticated' });
    await h.time.settle();
    expect(newcomer.outcome?.refusal?.code).toBe('manager.released');
    expect(newcomer.outcome?.refusal?.close).toEqual({ code: 4401, reason: 'unauthenticated' });
    expect(h.countOf('ada')).toBe(0);
  });

  it('may give up, and is told at once', async () => {
    const { h, newcomer } = await contest();
    newcomer.leave();
    await h.time.settle();
    expect(newcomer.outcome?.refusal?.code).toBe('admission.cancelled');
  });

  it('has won it for whoever comes before its socket is open', async () => {
    const h = harness({ config: { takeoverFightLimit: 1 } });
    for (let i = 0; i < 2; i++) await h.connect('ada', 'thread_1', silent);
    const winner = h.wait('ada', 'thread_1');
    await h.time.advance(3_000);
    const { ticket } = await winner.settled;
    const next = h.ticket('ada', 'thread_1');
    expect(ticket?.refusal?.code).toBe('key.replaced');
    expect(h.open(next).connection.generation).toBe(3);
  });
});
