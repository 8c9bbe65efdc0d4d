import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMooring, isPending, type Admission, type PendingAdmission } from '../../src/index.js';
import { FakeConnection, SimulatedTime } from '../../src/testing/index.js';

const runs = Number(process.env['TEST_PROPERTY_RUNS'] ?? 500);
const threads = ['thread_1', 'thread_2', 'thread_3'];

/** What happens next. `which` picks one of the attempts for which it can happen. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('arrive'), which: fc.nat(2) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('decide'), which: fc.nat(9) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('open'), which: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave'), which: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait'), which: fc.nat(2_000) }) },
);

/** An attempt to connect, from its arrival to its end. */
class Attempt {
  outcome: Admission | PendingAdmission | null = null;
  admission: Admission | null = null;
  transport: FakeConnection | null = null;
  hasLeft = false;

  constructor(
    readonly arrival: number,
    readonly threadId: string,
  ) {}

  /** Whether it has a place, a ticket or an open connection. */
  get isAlive(): boolean {
    if (this.outcome === null || this.hasLeft) return false;
    if (this.transport !== null) return this.transport.isOpen;
    if (this.admission === null) return isPending(this.outcome);
    return this.admission.ticket?.refusal === null;
  }

  /** Whether it is being authenticated. */
  get isUnderWay(): boolean {
    return this.outcome === null && !this.hasLeft;
  }

  get canOpen(): boolean {
    return this.isAlive && this.transport === null && this.admission !== null;
  }
}

class World {
  readonly time = new SimulatedTime();
  readonly mooring;
  readonly attempts: Attempt[] = [];

  constructor(maxManagersPerUser: number) {
    const config = { maxManagersPerUser, takeoverFightLimit: 1_000 };
    this.mooring = createMooring({ environment: 'production', env: {}, ...config, time: this.time, random: () => 0.5 });
  }

  async act({ kind, which }: { readonly kind: string; readonly which: number }): Promise<void> {
    if (kind === 'arrive') this.attempts.push(new Attempt(this.mooring.arrivals.begin(), threads[which] ?? 'thread_1'));
    if (kind === 'decide') this.#with(which, ({ isUnderWay }) => isUnderWay, this.#decide);
    if (kind === 'open') this.#with(which, ({ canOpen }) => canOpen, this.#open);
    if (kind === 'leave') this.#with(which, ({ hasLeft }) => !hasLeft, this.#leave);
    await this.time.advance(kind === 'wait' ? which : 0);
  }

  #with(which: number, can: (attempt: Attempt) => boolean, act: (attempt: Attempt) => void): void {
    const able = this.attempts.filter(can);
    const attempt = able[which % Math.max(1, able.length)];
    if (attempt !== undefined) act(attempt);
  }

  readonly #decide = (attempt: Attempt): void => {
    const { arrival, threadId } = attempt;
    const outcome = this.mooring.decide({ userId: 'ada', threadId }, { arrival });
    attempt.outcome = outcome;
    if (!isPending(outcome)) attempt.admission = outcome;
    else void outcome.settled.then((admission) => (attempt.admission = admission));
  };

  readonly #open = (attempt: Attempt): void => {
    const transport = new FakeConnection({ time: this.time });
    const connection = attempt.admission?.ticket?.open(transport).connection ?? null;
    if (connection === null) return;
    transport.bind(connection);
    attempt.transport = transport;
  };

  readonly #leave = (attempt: Attempt): void => {
    attempt.hasLeft = true;
    if (attempt.outcome === null) this.mooring.arrivals.decided(attempt.arrival);
    else if (attempt.transport !== null) attempt.transport.vanish();
    else if (isPending(attempt.outcome)) attempt.outcome.cancel();
    else attempt.outcome.ticket?.cancel();
  };

  /** Of each thread, who is alive: at most a connection and its successor, the newer being the newest of all alive. */
  check(): void {
    for (const threadId of threads) {
      const decided = this.attempts.filter((attempt) => attempt.threadId === threadId && attempt.isAlive);
      const open = decided.filter(({ transport }) => transport !== null);
      expect(open.length).toBeLessThanOrEqual(1);
      expect(decided.length - open.length).toBeLessThanOrEqual(1);
      const [incumbent] = open;
      const [successor] = decided.filter(({ transport }) => transport === null);
      if (incumbent !== undefined && successor !== undefined)
        expect(successor.arrival).toBeGreaterThan(incumbent.arrival);
    }
  }

  /** Everybody still under way is decided, and opens if it can */
  async finish(inOrder: (attempts: Attempt[]) => Attempt[]): Promise<void> {
    for (const attempt of inOrder(this.attempts.filter(({ isUnderWay }) => isUnderWay))) {
      this.#decide(attempt);
      await this.time.advance(0);
      if (attempt.canOpen) this.#open(attempt);
    }
    for (const attempt of this.attempts) if (attempt.canOpen) this.#open(attempt);
    await this.time.advance(1);
  }

  async stop(): Promise<void> {
    const stopped = this.mooring.stop();
    await this.time.advance(60_000);
    await stopped;
    expect(this.time.pendingTimers).toBe(0);
  }
}

describe('the order of arrival', () => {
  it('decides within each thread: the newest of those alive has it, however long anything took', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.boolean(), async (steps, isReversed) => {
        const world = new World(20);
        for (const each of steps) {
          await world.act(each);
          world.check();
        }
        const alive = world.attempts.filter((attempt) => attempt.isAlive || attempt.isUnderWay);
        await world.finish((attempts) => (isReversed ? attempts.reverse() : attempts));
        for (const threadId of threads) {
          const ofThread = world.attempts.filter((attempt) => attempt.threadId === threadId);
          const newest = alive.filter((attempt) => attempt.threadId === threadId).at(-1);
          const connected = ofThread.filter(({ transport }) => transport?.isOpen === true);
          expect(connected).toEqual(newest === undefined ? [] : [newest]);
        }
        expect(world.mooring.arrivals.sizes).toEqual({ underWay: 0, noted: 0 });
        await world.stop();
      }),
      { numRuns: runs },
    );
  });

  it('decides the same for those who have to wait', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const world = new World(1);
        for (const each of steps) {
          await world.act(each);
          world.check();
        }
        await world.stop();
      }),
      { numRuns: runs },
    );
  });
});
