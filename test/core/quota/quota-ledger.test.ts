import { describe, expect, it } from 'vitest';
import {
  MemoryLedger,
  type LedgerAnswer,
  type LedgerHost,
  type QuotaClaim,
  type QuotaLedger,
} from '../../../src/index.js';
import { harness, isMutating, remote, silent } from '../support.js';

const granted: LedgerAnswer = { granted: true, total: 1 };
const full: LedgerAnswer = { granted: false, total: 20 };

/** A ledger that is asked and answers when told to. */
class SlowLedger implements QuotaLedger {
  readonly asked: QuotaClaim[] = [];
  readonly released: QuotaClaim[] = [];
  readonly #answers: ((answer: LedgerAnswer | Promise<never>) => void)[] = [];

  acquire(claim: QuotaClaim): Promise<LedgerAnswer> {
    this.asked.push(claim);
    return new Promise((resolve) => this.#answers.push(resolve));
  }

  release(claim: QuotaClaim): void {
    this.released.push(claim);
  }

  answer(answer: LedgerAnswer | Promise<never>): void {
    for (const resolve of this.#answers.splice(0)) resolve(answer);
  }
}

/** A ledger that always does the same. */
const ledgerThat = (acquire: QuotaLedger['acquire'], release: QuotaLedger['release'] = () => {}): QuotaLedger => ({
  acquire,
  release,
});

describe('MemoryLedger', () => {
  const claim = (threadId: string, claimId: number, userId = 'ada') => ({ userId, threadId, claimId });

  it.each([0, 1, 4])('grants %i slots of as many', (limit) => {
    const ledger = new MemoryLedger();
    for (let i = 1; i <= limit; i++) {
      expect(ledger.acquire(claim(`thread_${i}`, i), limit)).toEqual({ granted: true, total: i });
    }
    expect(ledger.acquire(claim('thread_more', 99), limit)).toEqual({ granted: false, total: limit });
  });

  it('lets the same thread take its former slot over, though all are taken', () => {
    const ledger = new MemoryLedger();
    ledger.acquire(claim('thread_1', 1), 1);
    expect(ledger.acquire(claim('thread_1', 2), 1)).toEqual({ granted: true, total: 1 });
  });

  it('vumi-go#541, flashblocks#9, DocsGPT#2769: takes a slot back once, and only from the claim that has it', () => {
    const ledger = new MemoryLedger();
    ledger.acquire(claim('thread_1', 1), 1);
    ledger.acquire(claim('thread_1', 2), 1);
    ledger.release(claim('thread_1', 1));
    expect(ledger.totalOf('ada')).toBe(1);
    ledger.release(claim('thread_1', 2));
    ledger.release(claim('thread_1', 2));
    expect(ledger.totalOf('ada')).toBe(0);
  });

  it('counts users apart', () => {
    const ledger = new MemoryLedger();
    ledger.acquire(claim('thread_1', 1, 'a'), 1);
    expect(ledger.acquire(claim('thread_1', 2, 'a:b'), 1).granted).toBe(true);
  });

  it('counts two processes together, whose claims may have the same ids', () => {
    const here = new MemoryLedger();
    const there = new MemoryLedger(here);
    here.acquire(claim('thread_1', 1), 1);
    expect(there.acquire(claim('thread_2', 1), 1)).toEqual({ granted: false, total: 1 });
    expect(there.acquire(claim('thread_1', 1), 1)).toEqual({ granted: true, total: 1, takesOver: true });
    here.release(claim('thread_1', 1));
    expect([here.totalOf('ada'), there.totalOf('ada')]).toEqual([1, 1]);
    there.release(claim('thread_1', 1));
    expect([here.totalOf('ada'), there.totalOf('ada')]).toEqual([0, 0]);
  });

  it('is one quota for several Moorings', async () => {
    const ledger = new MemoryLedger();
    const [one, other] = [1, 2].map(() => harness({ ledger, config: { maxManagersPerUser: 2 } }));
    await one!.fill('ada', 2, remote);
    const refused = other!.arrive('ada', 'thread_3', remote);
    await other!.time.settle();
    expect(refused.outcome?.refusal?.code).toBe('quota.exceeded');
    one!.mooring.releaseAll('ada');
    await other!.fill('ada', 2, remote);
    expect(ledger.totalOf('ada')).toBe(2);
  });

  it('is not mixed up by Moorings that have the same thread', async () => {
    const ledger = new MemoryLedger();
    const [one, other] = [1, 2].map(() => harness({ ledger, config: { maxManagersPerUser: 2 } }));
    const former = await one!.connect('ada', 'thread_1', remote);
    await other!.connect('ada', 'thread_1', remote);
    former.transport.vanish();
    expect(ledger.totalOf('ada')).toBe(1);
  });

  it('holds nothing once everybody is gone', async () => {
    const ledger = new MemoryLedger();
    const h = harness({ ledger });
    await h.fill('ada', 5, remote);
    await h.stop();
    expect(ledger.totalOf('ada')).toBe(0);
  });
});

describe('a ledger that answers at once', () => {
  it('confirms in the same tick', () => {
    const h = harness({ ledger: ledgerThat(() => granted) });
    h.ticket('ada', 'thread_1');
    expect(h.countOf('ada')).toBe(1);
  });

  it('is asked before there is a manager', () => {
    const counts: number[] = [];
    const ledger = ledgerThat(({ userId }) => {
      counts.push(h.countOf(userId));
      return granted;
    });
    const h = harness({ ledger });
    h.ticket('ada', 'thread_1');
    expect(counts).toEqual([0]);
  });

  it('is asked with the limit of the user', () => {
    const limits: number[] = [];
    const ledger = ledgerThat((_, limit) => (limits.push(limit), granted));
    const h = harness({ ledger, limitOf: () => 7 });
    h.ticket('ada', 'thread_1');
    expect(limits).toEqual([7]);
  });

  it.each(noAnswers())('with no answer, but %j, lets the local limit decide', (got) => {
    const h = harness({ ledger: ledgerThat(() => got as LedgerAnswer) });
    h.ticket('ada', 'thread_1');
    expect(h.countOf('ada')).toBe(1);
    expect(h.said('ledger.failed')).toMatchObject([{ userId: 'ada', error: 'TypeError: the ledger gave no answer' }]);
  });

  it('and refuses has the newcomer refused, if there is nothing to clean up', async () => {
    const h = harness({ ledger: ledgerThat(() => full) });
    const newcomer = h.arrive('ada', 'thread_1', remote);
    await h.time.settle();
    expect(newcomer.outcome?.refusal?.close.reason).toMatch(/^quota;retry=\d+\.\d\d;max=20$/);
    expect(h.countOf('ada')).toBe(0);
    expect(h.said('admission.refused')).toMatchObject([{ threadId: 'thread_1', code: 'quota.exceeded' }]);
  });

  it('is not asked for a takeover', async () => {
    const ledger = new SlowLedger();
    const h = harness({ ledger });
    const first = h.arrive('ada', 'thread_1', remote);
    ledger.answer(granted);
    await first.connected;
    await h.connect('ada', 'thread_1', remote);
    expect(ledger.asked).toHaveLength(1);
  });

  it('gets its slot back with the claim it granted', async () => {
    const ledger = new SlowLedger();
    const h = harness({ ledger });
    const { connected, transport } = h.arrive('ada', 'thread_1', remote);
    ledger.answer(granted);
    await connected;
    transport.vanish();
    expect(ledger.released).toEqual(ledger.asked);
  });

  it('is asked for each who was served from the queue', async () => {
    const ledger = new MemoryLedger();
    const h = harness({ ledger, config: { maxManagersPerUser: 2 } });
    await h.fill('ada', 2, silent);
    const newcomers = [h.arrive('ada', 'thread_3', remote), h.arrive('ada', 'thread_4', remote)];
    await h.time.advance(3_000);
    expect(newcomers.map(({ outcome }) => outcome?.refusal)).toEqual([null, null]);
    expect(ledger.totalOf('ada')).toBe(2);
  });

  it.skipIf(isMutating)(
    'and refuses the first of many who were waiting has all refused, when nothing was found for them',
    async () => {
      let isFull = false;
      const ledger = ledgerThat(() => (isFull ? full : granted));
      const h = harness({ ledger, config: { maxManagersPerUser: 3_000 } });
      const [first] = await h.fill('ada', 3_000, remote);
      const waiting = Array.from({ length: 3_000 }, (_, i) => h.arrive('ada', `thread_more${i}`, remote));
      isFull = true;
      first!.transport.vanish();
      await h.time.advance(5_000);
      expect(waiting.filter(({ outcome }) => outcome?.refusal?.code === 'quota.exceeded')).toHaveLength(3_000);
      expect(h.countOf('ada')).toBe(2_999);
    },
  );

  it('and refuses one served from the queue announces that refusal', async () => {
    let answer: LedgerAnswer = granted;
    const h = harness({ ledger: ledgerThat(() => answer), config: { maxManagersPerUser: 1 } });
    const [client] = await h.fill('ada', 1, remote);
    const newcomer = h.arrive('ada', 'thread_2', remote);
    answer = full;
    client!.transport.vanish();
    await h.time.advance(3_000);
    expect(newcomer.outcome?.refusal?.code).toBe('quota.exceeded');
    expect(h.said('admission.refused')).toMatchObject([{ threadId: 'thread_2', code: 'quota.exceeded' }]);
  });
});

describe('a ledger that answers later', () => {
  const asked = (threadId = 'thread_1') => {
    const ledger = new SlowLedger();
    const h = harness({ ledger });
    return { h, ledger, newcomer: h.arrive('ada', threadId, remote) };
  };

  it('has the newcomer wait meanwhile', async () => {
    const { h, ledger, newcomer } = asked();
    await h.time.advance(100);
    expect(newcomer.outcome).toBeNull();
    ledger.answer(granted);
    await h.time.settle();
    expect(newcomer.outcome?.refusal).toBeNull();
  });

  it('and refuses has nothing to take back', async () => {
    const { h, ledger, newcomer } = asked();
    ledger.answer(full);
    await h.time.settle();
    expect(newcomer.outcome?.refusal?.code).toBe('quota.exceeded');
    expect(h.countOf('ada')).toBe(0);
    expect(ledger.released).toEqual([]);
  });

  it('and refuses announces that refusal', async () => {
    const { h, ledger } = asked();
    ledger.answer(full);
    await h.time.settle();
    expect(h.said('admission.refused')).toMatchObject([{ threadId: 'thread_1', code: 'quota.exceeded' }]);
  });

  it('and rejects lets the local limit decide', async () => {
    const { h, ledger, newcomer } = asked();
    ledger.answer(Promise.reject(new Error('connection lost')));
    await h.time.settle();
    expect(newcomer.outcome?.refusal).toBeNull();
    expect(h.said('ledger.failed')).toMatchObject([{ userId: 'ada', error: 'Error: connection lost' }]);
  });

  it.each(noAnswers())('and gives no answer, but %j, lets the local limit decide', async (got) => {
    const { h, ledger, newcomer } = asked();
    ledger.answer(got as LedgerAnswer);
    await h.time.settle();
    expect(newcomer.outcome?.refusal).toBeNull();
    expect(h.said('ledger.failed')).toMatchObject([{ error: 'TypeError: the ledger gave no answer' }]);
  });

  it('gets back what it may have granted, whatever it says after the slot was returned', async () => {
    for (const got of noAnswers()) {
      const { h, ledger, newcomer } = asked();
      newcomer.vanish();
      ledger.answer(got as LedgerAnswer);
      await h.time.settle();
      expect(ledger.released).toEqual([...ledger.asked, ...ledger.asked]);
    }
  });

  it('finds the slot returned when the newcomer vanished meanwhile', async () => {
    const { h, ledger, newcomer } = asked();
    newcomer.vanish();
    expect(h.countOf('ada')).toBe(0);
    expect(ledger.released).toEqual(ledger.asked);
    ledger.answer(granted);
    await h.time.settle();
    expect(newcomer.outcome?.refusal?.code).toBe('admission.cancelled');
    expect(h.countOf('ada')).toBe(0);
  });

  it('gets back what it granted after the slot was returned', async () => {
    const { h, ledger, newcomer } = asked();
    newcomer.vanish();
    ledger.answer(granted);
    await h.time.settle();
    expect(ledger.released).toEqual([...ledger.asked, ...ledger.asked]);
  });

  it('is not bothered about what it did not grant', async () => {
    const { h, ledger, newcomer } = asked();
    newcomer.vanish();
    ledger.answer(full);
    await h.time.settle();
    expect(ledger.released).toEqual(ledger.asked);
  });

  it('is not waited for by a newcomer that vanishes', async () => {
    const { h, newcomer } = asked();
    newcomer.vanish();
    await h.time.settle();
    expect(newcomer.outcome?.refusal?.code).toBe('admission.cancelled');
  });

  it('OpenWA#932: is waited for no longer than the granted slot lasts', async () => {
    const { h, newcomer } = asked();
    await h.time.advance(10_000);
    expect(newcomer.outcome?.refusal?.code).toBe('ticket.expired');
    expect(h.countOf('ada')).toBe(0);
  });

  it('is not waited for by stop', async () => {
    const { h, newcomer } = asked();
    await h.stop();
    expect(newcomer.outcome?.refusal?.close).toMatchObject({ code: 1012 });
  });

  it('and refuses ends a second newcomer of the same key too', async () => {
    const { h, ledger } = asked();
    h.arrive('ada', 'thread_1', remote);
    await h.time.settle();
    ledger.answer(full);
    await h.time.settle();
    expect(h.countOf('ada')).toBe(0);
    expect(h.said('connection.opened')).toEqual([]);
  });

  it("soketi's limit: does not let a burst through while it is asked", async () => {
    const ledger = new SlowLedger();
    const h = harness({ ledger, config: { maxManagersPerUser: 2 } });
    const newcomers = Array.from({ length: 10 }, (_, i) => h.arrive('ada', `thread_${i}`, remote));
    expect(ledger.asked).toHaveLength(2);
    ledger.answer(granted);
    await h.time.advance(3_000);
    expect(newcomers.filter(({ outcome }) => outcome?.refusal === null)).toEqual(newcomers.slice(0, 2));
  });
});

describe('a ledger that fails', () => {
  it.each<[string, QuotaLedger['acquire']]>([
    ['throws', () => throwing('down')],
    ['rejects', () => Promise.reject(new Error('down'))],
  ])('because it %s is reported, and the local limit decides', async (_, acquire) => {
    const h = harness({ ledger: ledgerThat(acquire), config: { maxManagersPerUser: 2 } });
    await h.fill('ada', 2, remote);
    const beyond = h.arrive('ada', 'thread_3', remote);
    await h.time.advance(100);
    expect(beyond.outcome?.refusal?.code).toBe('quota.exceeded');
    expect(h.said('ledger.failed')).toMatchObject([{ error: 'Error: down' }, { error: 'Error: down' }]);
  });

  it.each<[string, QuotaLedger['release']]>([
    ['throws', () => throwing('down')],
    ['rejects', () => Promise.reject(new Error('down'))],
  ])('because its release %s is reported, and the slot is free', async (_, release) => {
    const h = harness({ ledger: ledgerThat(() => granted, release) });
    const { transport } = await h.connect('ada', 'thread_1');
    transport.vanish();
    await h.time.settle();
    expect(h.countOf('ada')).toBe(0);
    expect(h.said('ledger.failed')).toMatchObject([{ userId: 'ada', error: 'Error: down' }]);
  });
});

/** Remembers what it was asked to take back, and does so when told. */
class UnwillingLedger implements QuotaLedger {
  isWilling = false;
  readonly refusing: () => void | Promise<void>;
  readonly #counts = new MemoryLedger();
  readonly asked: { readonly claim: QuotaClaim; readonly atMs: number }[] = [];
  now = (): number => 0;

  constructor(refusing: () => void | Promise<void> = () => throwing('down')) {
    this.refusing = refusing;
  }

  acquire(claim: QuotaClaim, limit: number): LedgerAnswer {
    return this.#counts.acquire(claim, limit);
  }

  release(claim: QuotaClaim): void | Promise<void> {
    this.asked.push({ claim, atMs: this.now() });
    if (!this.isWilling) return this.refusing();
    this.#counts.release(claim);
  }

  totalOf(userId: string): number {
    return this.#counts.totalOf(userId);
  }

  get askedAtMs(): number[] {
    return this.asked.map(({ atMs }) => atMs);
  }
}

describe('a release that fails', () => {
  const withUnwilling = (ledger = new UnwillingLedger(), maxManagersPerUser = 20) => {
    const h = harness({ ledger, config: { maxManagersPerUser } });
    ledger.now = () => h.time.now();
    return { h, ledger };
  };
  const comeAndGo = async (h: ReturnType<typeof harness>, userId: string, threadId: string) => {
    const { transport } = await h.connect(userId, threadId);
    transport.vanish();
    await h.time.settle();
  };

  it.each<[string, () => void | Promise<void>]>([
    ['throws', () => throwing('down')],
    ['rejects', () => Promise.reject(new Error('down'))],
  ])('because the ledger %s is tried again, less and less often', async (_, refusing) => {
    const { h, ledger } = withUnwilling(new UnwillingLedger(refusing));
    await comeAndGo(h, 'ada', 'thread_1');
    await h.time.advance(300_000);
    const afterMs = [0, 1_000, 3_000, 7_000, 15_000, 31_000, 63_000, 123_000, 183_000, 243_000];
    expect(ledger.askedAtMs).toEqual(afterMs);
    expect(new Set(ledger.asked.map(({ claim }) => claim)).size).toBe(1);
    expect(h.said('ledger.failed')).toHaveLength(1);
  });

  it.each<[string, () => void | Promise<void>]>([
    ['throws', () => throwing('down')],
    ['rejects', () => Promise.reject(new Error('down'))],
  ])('because the ledger %s gives the place back once it is well', async (_, refusing) => {
    const { h, ledger } = withUnwilling(new UnwillingLedger(refusing), 1);
    await comeAndGo(h, 'ada', 'thread_1');
    const refused = h.arrive('ada', 'thread_2', remote);
    await h.time.settle();
    expect(refused.outcome?.refusal?.code).toBe('quota.exceeded');
    ledger.isWilling = true;
    await h.time.advance(999);
    expect(ledger.totalOf('ada')).toBe(1);
    await h.time.advance(1);
    expect(ledger.totalOf('ada')).toBe(0);
    await h.connect('ada', 'thread_2');
    await h.time.advance(300_000);
    expect(ledger.asked.filter(({ claim }) => claim.threadId === 'thread_1')).toHaveLength(2);
    expect(h.said('claim.lost')).toEqual([]);
  });

  it('is tried soon again after one that succeeded', async () => {
    const { h, ledger } = withUnwilling();
    await comeAndGo(h, 'ada', 'thread_1');
    await h.time.advance(20_000);
    ledger.isWilling = true;
    await h.time.advance(11_000);
    ledger.isWilling = false;
    const before = ledger.asked.length;
    await comeAndGo(h, 'bob', 'thread_1');
    await h.time.advance(3_000);
    expect(ledger.askedAtMs.slice(before)).toEqual([31_000, 32_000, 34_000]);
  });

  it('is not tried while the thread has a manager whose claim is unconfirmed, but after', async () => {
    let acquire: () => LedgerAnswer = () => granted;
    const released: number[] = [];
    let isDown = true;
    const h = harness({
      ledger: ledgerThat(
        () => acquire(),
        ({ claimId }) => {
          released.push(claimId);
          if (isDown) throwing('down');
        },
      ),
    });
    await comeAndGo(h, 'ada', 'thread_1');
    acquire = () => throwing('down');
    const { transport } = await h.connect('ada', 'thread_1', remote);
    await h.time.advance(20_000);
    expect(released).toHaveLength(1);
    isDown = false;
    transport.vanish();
    await h.time.advance(60_000);
    const [first, second] = released;
    expect(released).toEqual([first, second, first]);
    expect(second).not.toBe(first);
  });

  it('is not tried again once the thread has a newer claim that was granted, not even by a ledger that mixes them up', async () => {
    const slots = new Set<string>();
    let isDown = true;
    const ledger = ledgerThat(
      ({ threadId }) => (slots.add(threadId), granted),
      ({ threadId }) => {
        if (isDown) throwing('down');
        slots.delete(threadId);
      },
    );
    const h = harness({ ledger });
    await comeAndGo(h, 'ada', 'thread_1');
    await h.connect('ada', 'thread_1', remote);
    isDown = false;
    await h.time.advance(100_000);
    expect([...slots]).toEqual(['thread_1']);
  });

  it('while a newer claim of the thread waits for its answer is not tried either', async () => {
    const ledger = new SlowLedger();
    let isDown = true;
    const release = ledger.release.bind(ledger);
    ledger.release = (claim) => {
      release(claim);
      if (isDown) throwing('down');
    };
    const h = harness({ ledger });
    const first = h.arrive('ada', 'thread_1', remote);
    ledger.answer(granted);
    (await first.connected, first.transport).vanish();
    const second = h.arrive('ada', 'thread_1', remote);
    isDown = false;
    await h.time.advance(5_000);
    expect(ledger.released).toHaveLength(1);
    ledger.answer(granted);
    await second.connected;
    await h.time.advance(60_000);
    expect(ledger.released).toHaveLength(1);
  });

  /** So many users come and go, each of whom the ledger keeps. */
  const crowd = async (count: number, ledger = new UnwillingLedger()) => {
    const { h } = withUnwilling(ledger);
    const come = async (from: number, to: number) => {
      for (let i = from; i <= to; i++) h.open(h.ticket(`user-${i}`, 'thread_1')).transport.vanish();
      await h.time.settle();
    };
    await come(1, count);
    const kept = () => Array.from({ length: count }, (_, i) => `user-${i + 1}`).filter((id) => ledger.totalOf(id) > 0);
    return { h, ledger, come, kept };
  };

  it.skipIf(isMutating)(
    'is one of ten thousand that are tried again; the longest untried beyond are given up',
    async () => {
      const { h, ledger, come, kept } = await crowd(
        10_000,
        new UnwillingLedger(() => Promise.reject(new Error('down'))),
      );
      await h.time.advance(1_000);
      expect(h.said('claim.lost')).toEqual([]);
      await come(10_001, 10_002);
      expect(h.said('claim.lost')).toMatchObject([
        { userId: 'user-501', threadId: 'thread_1', key: 'user-501:thread_1' },
        { userId: 'user-502', threadId: 'thread_1', key: 'user-502:thread_1' },
      ]);
      ledger.isWilling = true;
      await h.time.advance(60_000);
      expect(kept()).toEqual(['user-501', 'user-502']);
    },
  );

  it('is tried again with no more than 500 others at once', async () => {
    const { h, ledger, kept } = await crowd(1_200);
    const before = ledger.asked.length;
    await h.time.advance(1_000);
    expect(ledger.asked.length - before).toBe(500);
    ledger.isWilling = true;
    await h.time.advance(10_000);
    expect(kept()).toEqual([]);
  });

  it('does not wait behind others that never answer', async () => {
    const { h, ledger } = withUnwilling(new UnwillingLedger(() => new Promise(() => {})));
    await comeAndGo(h, 'ada', 'thread_1');
    await h.time.advance(100_000);
    expect(ledger.asked).toHaveLength(1);
    expect(h.said('ledger.failed')).toEqual([]);
  });

  it('is tried a last time by stop(), and then told of; no timer is left', async () => {
    const { h, ledger } = withUnwilling();
    await comeAndGo(h, 'ada', 'thread_1');
    const before = ledger.asked.length;
    const stopped = h.mooring.stop();
    await h.time.settle();
    await stopped;
    expect(ledger.asked).toHaveLength(before + 1);
    expect(h.said('claim.lost')).toMatchObject([{ key: 'ada:thread_1' }]);
    expect(h.time.pendingTimers).toBe(0);
    await h.time.advance(300_000);
    expect(ledger.asked).toHaveLength(before + 1);
  });

  it('while it is tried as Mooring stops is told of when it fails, and leaves no timer', async () => {
    let reject: ((error: Error) => void) | undefined;
    const { h } = withUnwilling(new UnwillingLedger(() => new Promise((_, fail) => (reject = fail))));
    await comeAndGo(h, 'ada', 'thread_1');
    await h.stop();
    reject?.(new Error('too late'));
    await h.time.settle();
    expect(h.said('ledger.failed')).toMatchObject([{ error: 'Error: too late' }]);
    expect(h.said('claim.lost')).toMatchObject([{ key: 'ada:thread_1' }]);
    expect(h.time.pendingTimers).toBe(0);
  });
});

/** What other people's ledgers may say instead of an answer. */
function noAnswers(): unknown[] {
  return [undefined, null, {}, { granted: 1 }, { granted: 'false' }, { total: 3 }, true, 'OK'];
}

function throwing(message: string): never {
  throw new Error(message);
}

describe('a newcomer whose turn has come, and whose slot a slow ledger has yet to confirm', () => {
  const waiting = async () => {
    const ledger = new SlowLedger();
    const h = harness({ ledger, config: { maxManagersPerUser: 1 } });
    const first = h.arrive('ada', 'thread_1', remote);
    ledger.answer(granted);
    await first.connected;
    const newcomer = h.arrive('ada', 'thread_2', remote);
    first.transport.vanish();
    await h.time.settle();
    expect(newcomer.outcome).toBeNull();
    return { h, ledger, newcomer };
  };

  it('gets in when it does', async () => {
    const { h, ledger, newcomer } = await waiting();
    ledger.answer(granted);
    await h.time.settle();
    expect(newcomer.outcome?.manager?.threadId).toBe('thread_2');
  });

  it('is refused when it does not', async () => {
    const { h, ledger, newcomer } = await waiting();
    // Asked once more, it says the same.
    for (let times = 1; times <= 2; times += 1) {
      ledger.answer(full);
      await h.time.advance(3_000);
    }
    expect(newcomer.outcome?.refusal?.code).toBe('quota.exceeded');
    expect(h.countOf('ada')).toBe(0);
  });

  it('gives the slot back when it leaves', async () => {
    const { h, newcomer } = await waiting();
    newcomer.leave();
    await h.time.settle();
    expect(newcomer.outcome?.refusal?.code).toBe('admission.cancelled');
    expect(h.countOf('ada')).toBe(0);
  });
});

describe('a ledger that cannot be asked now', () => {
  const away = ledgerThat(() => ({ granted: 'unknown' }));

  it('lets the local limit decide', async () => {
    const h = harness({ ledger: away, config: { maxManagersPerUser: 1 } });
    await h.connect('ada', 'thread_1', remote);
    const second = h.arrive('ada', 'thread_2', remote);
    await h.time.advance(20_000);
    expect(second.outcome?.refusal?.code).toBe('quota.exceeded');
    expect(h.said('ledger.failed')).toEqual([]);
  });

  it.each([
    ['says so', away],
    [
      'throws',
      ledgerThat(() => {
        throw new Error('away');
      }),
    ],
    ['rejects', ledgerThat(() => Promise.reject(new Error('away')))],
  ])('and %s has the newcomer refused with failOpen: false, and gets the claim back', async (_, ledger) => {
    const released: QuotaClaim[] = [];
    const h = harness({
      ledger: ledgerThat(ledger.acquire.bind(ledger), (claim) => void released.push(claim)),
      config: { failOpen: false },
    });
    const arrival = h.arrive('ada', 'thread_1', remote);
    await h.time.advance(10);
    expect(arrival.outcome?.refusal?.close.code).toBe(1013);
    expect(arrival.outcome?.refusal?.close.reason).toMatch(/^unavailable;retry=\d+\.\d\d$/);
    expect(h.said('admission.refused')).toMatchObject([{ code: 'ledger.unavailable', closeCause: 'unavailable' }]);
    expect(released.map(({ threadId }) => threadId)).toEqual(['thread_1']);
    expect(h.countOf('ada')).toBe(0);
  });
});

describe('a ledger that finds a thread contested', () => {
  it('has the newcomer refused as such', async () => {
    const h = harness({ ledger: ledgerThat(() => ({ granted: 'contested' })) });
    const arrival = h.arrive('ada', 'thread_1', remote);
    await h.time.advance(10);
    expect(arrival.outcome?.refusal?.closeCause).toBe('contested');
    expect(h.countOf('ada')).toBe(0);
  });
});

describe('a ledger that speaks by itself', () => {
  /** The host that Mooring gave it. */
  const attached = (config = {}) => {
    let host!: LedgerHost;
    const calls: string[] = [];
    const ledger: QuotaLedger = {
      ...ledgerThat(() => granted),
      attach: (given) => {
        host = given;
      },
      opened: ({ threadId }) => void calls.push(`opened ${threadId}`),
      renewed: ({ threadId }) => void calls.push(`renewed ${threadId}`),
      stop: () => new Promise(() => undefined),
    };
    const h = harness({ ledger, config });
    return { h, host, calls };
  };

  it('has its state told, once for each change', async () => {
    const { h, host } = attached();
    expect(h.mooring.ledgerStatus).toBeNull();
    host.stateChanged({ state: 'up', reason: null });
    await h.time.advance(1_000);
    host.stateChanged({ state: 'down', reason: 'it burns' });
    host.stateChanged({ state: 'down', reason: 'it burns higher' });
    await h.time.advance(500);
    expect(h.said('ledger.changed')).toMatchObject([
      { state: 'up', previous: 'suspended', reason: null, afterMs: 0 },
      { state: 'down', previous: 'up', reason: 'it burns', afterMs: 1_000 },
    ]);
    expect(h.mooring.ledgerStatus).toEqual({ state: 'down', reason: 'it burns higher', forMs: 500 });
  });

  it('tells of each other limit once', () => {
    const { h, host } = attached({ maxManagersPerUser: 20 });
    for (const theirs of [20, 5, 5, 6]) host.limitDiffers(theirs);
    expect(h.said('ledger.mismatch')).toMatchObject([
      { ours: 20, theirs: 5 },
      { ours: 20, theirs: 6 },
    ]);
  });

  it('is told the totals at which a level changes', () => {
    const { host } = attached();
    expect(host.levelsOf(20)).toEqual([8, 12, 16, 18]);
    expect([host.levelsOf(2), host.levelsOf(Infinity), host.levelsOf(0)]).toEqual([[2], [], []]);
  });

  it('learns when a thread is open, and when a newer connection of it has come', async () => {
    const { h, calls } = attached();
    await h.connect('ada', 'thread_1', remote);
    await h.connect('ada', 'thread_1', remote);
    expect(calls).toEqual(['opened thread_1', 'renewed thread_1']);
  });

  it('and never stops is waited for no longer than a hook', async () => {
    const { h } = attached({ hookTimeoutMs: 200 });
    let isStopped = false;
    void h.mooring.stop().then(() => (isStopped = true));
    await h.time.advance(150);
    expect(isStopped).toBe(false);
    await h.time.advance(100);
    expect(isStopped).toBe(true);
  });
});
