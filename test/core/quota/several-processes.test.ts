import { describe, expect, it, vi } from 'vitest';
import { MemoryLedger, type LedgerAnswer, type QuotaClaim, type QuotaLedger } from '../../../src/index.js';
import { harness, remote, silent, type Harness, type HarnessOptions } from '../support.js';

/** Says that the processes that hold the slots have not been heard of for so long. */
class UnsureLedger extends MemoryLedger {
  silentMs = 0;

  override acquire(claim: QuotaClaim, limit: number): LedgerAnswer {
    const answer = super.acquire(claim, limit);
    return answer.granted ? answer : { ...answer, silentMs: this.silentMs };
  }
}

/** Processes that share a quota, each with its own Mooring. Their clocks run together. */
function processes(options: HarnessOptions = {}, silentMs = 0) {
  const ledger = new MemoryLedger();
  const made = [0, 1].map(() => {
    const own = new UnsureLedger(ledger);
    own.silentMs = silentMs;
    return harness({ ...options, ledger: own });
  });
  const advance = async (byMs: number): Promise<void> => {
    for (let passedMs = 0; passedMs < byMs; passedMs += 10) for (const { time } of made) await time.advance(10);
  };
  const [here, there] = made as [Harness, Harness];
  return { here, there, ledger, advance };
}

describe('a user whose quota is full in another process', () => {
  /** @param silentMs so long that the newcomer waits */
  const full = async (silentMs = 60_000) => {
    const cluster = processes({ config: { maxManagersPerUser: 2 } }, silentMs);
    const theirs = await cluster.there.fill('ada', 2, remote);
    return { ...cluster, theirs, newcomer: cluster.here.arrive('ada', 'thread_new', remote) };
  };

  it('waits in the queue, and has no manager meanwhile', async () => {
    const { here, newcomer, advance } = await full();
    await advance(100);
    expect(newcomer.outcome).toBeNull();
    expect(here.mooring.waitingCountOf('ada')).toBe(1);
    expect(here.said('admission.queued')).toMatchObject([{ threadId: 'thread_new', position: 1 }]);
    expect(here.said('manager.admitted')).toEqual([]);
    expect(here.countOf('ada')).toBe(0);
  });

  it('is let in when a slot is free there, within half a second', async () => {
    const { here, ledger, theirs, newcomer, advance } = await full();
    await advance(100);
    theirs[0]?.transport.vanish();
    await advance(500);
    expect(newcomer.outcome?.manager?.threadId).toBe('thread_new');
    expect(here.said('manager.admitted')).toMatchObject([{ managerCount: 1, waitedMs: 500 }]);
    expect(ledger.totalOf('ada')).toBe(2);
  });

  it('is refused with the cleanup that found nothing, and leaves no trace', async () => {
    const { here, ledger, newcomer, advance } = await full(0);
    await advance(20);
    expect(newcomer.outcome?.refusal?.code).toBe('quota.exceeded');
    expect(newcomer.outcome?.refusal?.close.reason).toMatch(/^quota;retry=\d+\.\d\d;max=2$/);
    expect(here.said('admission.refused')).toMatchObject([{ code: 'quota.exceeded', ahead: 0 }]);
    expect([here.said('manager.admitted'), here.said('manager.released')]).toEqual([[], []]);
    expect(ledger.totalOf('ada')).toBe(2);
  });

  it('gets the slot of a silent connection of its own process', async () => {
    const { here, there, advance } = processes({ config: { maxManagersPerUser: 2 } });
    await there.fill('ada', 1, { ...remote, prefix: 'there' });
    await here.fill('ada', 1, { ...silent, prefix: 'here' });
    await advance(30_000);
    const arrival = here.arrive('ada', 'thread_new', remote);
    await advance(3_000);
    expect(arrival.outcome?.manager?.threadId).toBe('thread_new');
    expect(here.said('manager.released')).toMatchObject([{ threadId: 'thread_here1', closeCause: 'silent' }]);
  });

  it('keeps the order in which newcomers came', async () => {
    const { here, theirs, newcomer, advance } = await full();
    const second = here.arrive('ada', 'thread_second', remote);
    await advance(600);
    expect(here.mooring.waitingCountOf('ada')).toBe(2);
    theirs[0]?.transport.vanish();
    await advance(500);
    expect([newcomer.outcome?.refusal, second.outcome]).toEqual([null, null]);
  });

  it('is refused at once if as many wait as the limit allows', async () => {
    const { here, advance } = await full();
    const others = [1, 2].map((i) => here.arrive('ada', `thread_more${i}`, remote));
    await advance(20);
    expect(others.map(({ outcome }) => outcome?.refusal?.code)).toEqual([undefined, 'quota.exceeded']);
  });
});

describe('a thread that moves to another process', () => {
  const moving = async () => {
    const cluster = processes();
    const former = await cluster.here.connect('ada', 'thread_1', remote);
    const hook = vi.fn();
    former.manager.onRelease(hook);
    const ticket = cluster.there.ticket('ada', 'thread_1');
    await cluster.advance(50);
    return { ...cluster, former, hook, ticket };
  };

  it('is closed with 4409 in the first one when its socket in the other is open, and not before', async () => {
    const { here, there, ledger, former, hook, ticket, advance } = await moving();
    expect([former.manager.isReleased, former.transport.closes]).toEqual([false, []]);
    there.open(ticket, remote);
    await advance(10);
    expect(former.transport.closes).toEqual([{ code: 4409, reason: 'replaced' }]);
    expect(here.said('manager.released')).toMatchObject([{ reason: 'moved', closeCause: 'replaced' }]);
    expect(hook).toHaveBeenCalledOnce();
    await advance(1_000);
    expect([ledger.totalOf('ada'), here.countOf('ada'), there.countOf('ada')]).toEqual([1, 0, 1]);
  });

  it.each(['gives up', 'never opens its socket'])('costs the first nothing if the newcomer %s', async (what) => {
    const { here, there, ledger, former, ticket, advance } = await moving();
    if (what === 'gives up') ticket.cancel();
    await advance(11_000);
    expect(former.transport.closes).toEqual([]);
    expect([ledger.totalOf('ada'), here.countOf('ada'), there.countOf('ada')]).toEqual([1, 1, 0]);
  });

  it('keeps its slot if the first ends while the newcomer is on its way', async () => {
    const { there, ledger, former, ticket, advance } = await moving();
    former.transport.vanish();
    await advance(50);
    expect(ledger.totalOf('ada')).toBe(1);
    there.open(ticket, remote);
    await advance(50);
    expect([ledger.totalOf('ada'), there.countOf('ada')]).toEqual([1, 1]);
  });

  it('ends a newcomer of the first that waits to take over there, with the same cause', async () => {
    const { here, there, ticket, advance } = await moving();
    const local = here.ticket('ada', 'thread_1');
    there.open(ticket, remote);
    await advance(10);
    expect(local.refusal?.close).toEqual({ code: 4409, reason: 'replaced' });
    expect(here.countOf('ada')).toBe(0);
  });

  it('may go back and forth', async () => {
    const { here, there, ledger, ticket, advance } = await moving();
    there.open(ticket, remote);
    await advance(50);
    for (const process of [here, there, here]) {
      await process.connect('ada', 'thread_1', remote);
      await advance(50);
    }
    expect([ledger.totalOf('ada'), here.countOf('ada'), there.countOf('ada')]).toEqual([1, 1, 0]);
  });
});

describe('a newcomer for which a slow ledger is asked', () => {
  /** A ledger whose answers the test gives. */
  function asked(options: HarnessOptions = {}) {
    const claims: QuotaClaim[] = [];
    const released: QuotaClaim[] = [];
    const answers: ((answer: LedgerAnswer | Promise<never>) => void)[] = [];
    const ledger: QuotaLedger = {
      acquire: (claim) => {
        claims.push(claim);
        return new Promise((resolve) => answers.push(resolve));
      },
      release: (claim) => void released.push(claim),
    };
    const h = harness({ ledger, config: { maxManagersPerUser: 2 }, ...options });
    const answer = async (given: LedgerAnswer | Promise<never>): Promise<void> => {
      answers.shift()?.(given);
      await h.time.settle();
    };
    return { h, claims, released, answer };
  }
  const granted: LedgerAnswer = { granted: true, total: 1 };
  const denied: LedgerAnswer = { granted: false, total: 2, silentMs: 60_000 };

  it('takes a slot of this process', async () => {
    const { h, claims } = asked();
    const newcomers = [1, 2, 3].map((i) => h.arrive('ada', `thread_${i}`, remote));
    await h.time.advance(100);
    expect(claims).toHaveLength(2);
    expect(newcomers.map(({ outcome }) => outcome?.refusal?.code)).toEqual([undefined, undefined, 'quota.exceeded']);
  });

  it('has a manager only once it is granted', async () => {
    const { h, answer } = asked();
    const { connected } = h.arrive('ada', 'thread_1', remote);
    await h.time.settle();
    expect([h.countOf('ada'), h.said('manager.admitted')]).toEqual([0, []]);
    await answer(granted);
    expect((await connected).manager?.threadId).toBe('thread_1');
    expect(h.said('manager.admitted')).toMatchObject([{ waitedMs: 0 }]);
  });

  it('is replaced by a newer connection of its thread, which gets the answer', async () => {
    const { h, claims, answer } = asked();
    const former = h.arrive('ada', 'thread_1', remote);
    const newer = h.arrive('ada', 'thread_1', remote);
    await answer(granted);
    expect(claims).toHaveLength(1);
    expect(former.outcome?.refusal?.close).toEqual({ code: 4409, reason: 'replaced' });
    expect(newer.outcome?.refusal).toBeNull();
  });

  it('is refused when the server stops, and its claim is given back', async () => {
    const { h, claims, released, answer } = asked();
    const newcomer = h.arrive('ada', 'thread_1', remote);
    await h.stop();
    expect(newcomer.outcome?.refusal?.close.code).toBe(1012);
    expect(released).toEqual(claims);
    await answer(granted);
    expect(released).toEqual([...claims, ...claims]);
  });

  it('is refused when its user is logged out', async () => {
    const { h, claims, released } = asked();
    const newcomer = h.arrive('ada', 'thread_1', remote);
    h.mooring.releaseAll('ada', { closeCause: 'unauthenticated' });
    await h.time.settle();
    expect(newcomer.outcome?.refusal?.close.code).toBe(4401);
    expect(released).toEqual(claims);
  });

  it('has its claim given back again if the question fails after it has gone: it may have been granted', async () => {
    const { h, claims, released, answer } = asked();
    h.arrive('ada', 'thread_1', remote).vanish();
    await answer(Promise.reject(new Error('timed out')));
    expect(released).toEqual([...claims, ...claims]);
    expect(h.said('ledger.failed')).toMatchObject([{ error: 'Error: timed out' }]);
  });

  it('is asked for again one at a time while the quota is full, and others are not', async () => {
    const { h, claims, answer } = asked();
    for (const i of [1, 2]) h.arrive('ada', `thread_${i}`, remote);
    await answer(denied);
    await answer(denied);
    expect(claims.map(({ threadId }) => threadId)).toEqual(['thread_1', 'thread_2']);
    await h.time.advance(499);
    expect(claims).toHaveLength(2);
    await h.time.advance(1);
    expect(claims.map(({ threadId }) => threadId).slice(2)).toEqual(['thread_1']);
    await answer(granted);
    expect(claims.map(({ threadId }) => threadId).slice(3)).toEqual(['thread_2']);
  });

  it('stays first in line when it is asked for again, whoever comes meanwhile', async () => {
    const { h, claims, answer } = asked();
    h.arrive('ada', 'thread_1', remote);
    await answer(denied);
    await h.time.advance(500);
    h.arrive('ada', 'thread_2', remote);
    expect(h.mooring.waitingCountOf('ada')).toBe(2);
    await answer(denied);
    await h.time.advance(500);
    expect(claims.map(({ threadId }) => threadId)).toEqual(['thread_1', 'thread_1', 'thread_1']);
  });

  it('takes the place of the last in line, which came after it', async () => {
    const { h, answer } = asked({ config: { maxManagersPerUser: 3 } });
    h.arrive('ada', 'thread_0', remote);
    await answer(granted);
    const newcomers = [1, 2, 3, 4, 5].map((i) => h.arrive('ada', `thread_${i}`, remote));
    const codes = (): unknown[] => newcomers.map(({ outcome }) => outcome?.refusal?.code);
    expect(h.mooring.waitingCountOf('ada')).toBe(3);
    await answer(denied);
    expect(codes()).toEqual([undefined, undefined, undefined, undefined, 'quota.exceeded']);
    expect(h.said('admission.refused')).toMatchObject([{ threadId: 'thread_5', ahead: 3 }]);
    await answer(denied);
    expect(codes()).toEqual([undefined, undefined, undefined, 'quota.exceeded', 'quota.exceeded']);
    expect(h.mooring.waitingCountOf('ada')).toBe(3);
  });

  it('is replaced by a newer connection of its thread, in its turn, when it is asked for again', async () => {
    const { h, answer } = asked();
    h.arrive('ada', 'thread_1', remote);
    await answer(denied);
    h.arrive('ada', 'thread_2', remote);
    await h.time.advance(500);
    const newer = h.arrive('ada', 'thread_1', remote);
    expect(h.mooring.waitingCountOf('ada')).toBe(2);
    await answer(granted);
    expect(newer.outcome?.manager?.threadId).toBe('thread_1');
    expect(h.mooring.waitingCountOf('ada')).toBe(1);
  });

  it('leaves the queue when it goes while it is asked for again, and its claim is given back', async () => {
    const { h, claims, released, answer } = asked();
    const newcomer = h.arrive('ada', 'thread_1', remote);
    await answer(denied);
    await h.time.advance(500);
    newcomer.vanish();
    expect(h.mooring.waitingCountOf('ada')).toBe(0);
    expect(released).toEqual(claims.slice(1));
  });
});

describe('a ledger that denies after a while', () => {
  /** @param managers of this process; the others of two are elsewhere */
  async function denying(answerMs: number, managers: number, { silentMs = 1_000, peer = remote } = {}) {
    let isFull = false;
    const claims: QuotaClaim[] = [];
    const h = harness({
      ledger: {
        acquire: async (claim) => {
          claims.push(claim);
          await new Promise<void>((resolve) => h.time.setTimer(resolve, answerMs));
          return isFull ? { granted: false, total: 2, silentMs } : { granted: true, total: claims.length };
        },
        release: () => {
          isFull = false;
        },
      },
      config: { maxManagersPerUser: 2 },
    });
    const held = Array.from({ length: managers }, (_, i) => h.arrive('ada', `thread_${i}`, peer));
    await h.time.advance(answerMs + 1_000);
    isFull = true;
    claims.length = 0;
    const free = (): void => {
      isFull = false;
    };
    return { h, held, claims, free };
  }

  // The ledger is asked again half a second after each answer: so with some of these a cleanup would end meanwhile.
  const answerTimes = [1, 2, 5, 25, 100, 250, 499, 500, 501, 750, 1_000, 1_499, 2_500];

  it.each(answerTimes)(
    'of %i ms has the newcomer refused by its cleanup, with managers in this process or none',
    async (ms) => {
      for (const managers of [0, 1]) {
        const { h } = await denying(ms, managers);
        const newcomer = h.arrive('ada', 'thread_new', remote);
        await h.time.advance(10_000 + ms + 100);
        expect(newcomer.outcome?.refusal?.code).toBe('quota.exceeded');
        expect(h.mooring.waitingCountOf('ada')).toBe(0);
      }
    },
  );

  it.each(answerTimes)('of %i ms has room made in this process', async (ms) => {
    const { h } = await denying(ms, 1);
    await h.time.advance(61_000);
    const newcomer = h.arrive('ada', 'thread_new', remote);
    await h.time.advance(10_000);
    expect(newcomer.outcome?.manager?.threadId).toBe('thread_new');
    expect(h.said('manager.released')).toMatchObject([{ threadId: 'thread_0', reason: 'evicted' }]);
  });

  it('is asked once more before its newcomer is refused: a slot may have become free meanwhile', async () => {
    // The user's connection answers late, so the cleanup takes a while; and less than it takes until it is asked anyway.
    const { h, claims, free } = await denying(2, 1, { silentMs: 0, peer: { ...remote, pongAfterMs: 400 } });
    const newcomer = h.arrive('ada', 'thread_new', remote);
    await h.time.advance(390);
    expect(claims).toHaveLength(1);
    free();
    await h.time.advance(100);
    expect(claims).toHaveLength(2);
    expect(newcomer.outcome?.manager?.threadId).toBe('thread_new');
  });

  it('has its newcomer asked for about twice a second', async () => {
    // A process that has not been heard of keeps it waiting as long as a cleanup may last.
    const { h, claims } = await denying(2, 1, { silentMs: 60_000 });
    const newcomer = h.arrive('ada', 'thread_new', remote);
    await h.time.advance(9_900);
    expect(newcomer.outcome).toBeNull();
    expect(claims.length).toBeGreaterThanOrEqual(18);
    expect(claims.length).toBeLessThanOrEqual(22);
  });
});

describe('a process that holds the slots of a newcomer and has not been heard of', () => {
  /** A ledger whose slots are held by a process that has been silent, until the test says otherwise. */
  function silentHolder(silentMs: () => number) {
    let isFree = false;
    const ledger: QuotaLedger = {
      acquire: () => (isFree ? { granted: true, total: 1 } : { granted: false, total: 2, silentMs: silentMs() }),
      release: () => undefined,
    };
    const h = harness({ ledger, config: { maxManagersPerUser: 2 } });
    return { h, free: () => (isFree = true) };
  }

  it('keeps the newcomer waiting until its slots are free', async () => {
    const { h, free } = silentHolder(() => 500 + h.time.now());
    const newcomer = h.arrive('ada', 'thread_1', remote);
    await h.time.advance(5_500);
    expect(newcomer.outcome).toBeNull();
    free();
    await h.time.advance(500);
    expect(newcomer.outcome?.refusal).toBeNull();
  });

  it('has the newcomer refused once it is heard of', async () => {
    let heardAtMs = -500;
    const { h } = silentHolder(() => h.time.now() - heardAtMs);
    const newcomer = h.arrive('ada', 'thread_1', remote);
    await h.time.advance(3_000);
    expect(newcomer.outcome).toBeNull();
    heardAtMs = 2_900;
    await h.time.advance(600);
    expect(newcomer.outcome?.refusal?.code).toBe('quota.exceeded');
  });

  it('keeps it waiting no longer than an emergency cleanup may last', async () => {
    const { h } = silentHolder(() => 500 + h.time.now());
    const newcomer = h.arrive('ada', 'thread_1', remote);
    await h.time.advance(10_100);
    expect(newcomer.outcome?.refusal?.code).toBe('quota.exceeded');
  });
});
