import { expect } from 'vitest';
import {
  createMooring,
  createUserExecutionContext,
  isPending,
  type Admission,
  type Connected,
  type ManagedConnection,
  type Mooring,
  type MooringEvent,
  type MooringEventName,
  type MooringOptions,
  type PendingAdmission,
  type Random,
  type RefusalError,
  type Ticket,
  type UserExecutionContext,
  type WebSocketManager,
} from '../../src/index.js';
import { FakeConnection, SimulatedTime, type FakeConnectionOptions } from '../../src/testing/index.js';
import { afterThisTest } from '../support/setup.js';

/** Under `npm run mutate` tests of seconds are skipped: each mutant would meet them, after quicker ones for the same lines. */
export const isMutating = process.env['TEST_MUTATING'] === '1';

/** What a test may want to be different. Settings come from the production preset unless overridden. */
export type HarnessOptions = Pick<MooringOptions, 'config' | 'limitOf' | 'ledger' | 'environment'> & {
  readonly seed?: number;
  readonly random?: Random;
  readonly time?: SimulatedTime;
};

/** How a fake peer behaves; it runs on the harness's time. */
export type PeerOptions = Omit<FakeConnectionOptions, 'time'> & {
  /** Whether it never answers, not even at first. */
  readonly isNew?: boolean;
};

/** A peer some milliseconds away, as real ones are; without it answers arrive within the call that asked. */
export const remote: PeerOptions = Object.freeze({ pongAfterMs: 20, closeAfterMs: 20 });

/** A peer that answers nothing, for {@link Harness.connect} and {@link Harness.fill}. */
export const silent: PeerOptions = Object.freeze({ pongAfterMs: null, closeAfterMs: null });

/** A socket that asked to be admitted. */
export interface Arrival {
  readonly transport: FakeConnection;
  readonly context: UserExecutionContext;
  /** Never rejects. */
  readonly connected: Promise<Connected>;
  /** How it ended, or `null` while that is open. */
  readonly outcome: Connected | null;
  /** The client vanishes while it waits. */
  vanish(): void;
  /** Whoever asked says that nobody waits any longer. */
  leave(): void;
}

/** A socket that was admitted and is bound to its link. */
export interface Client {
  readonly transport: FakeConnection;
  readonly context: UserExecutionContext;
  readonly connection: ManagedConnection;
  readonly manager: WebSocketManager;
}

/** A Mooring under simulated time, and fake sockets for it. */
export class Harness {
  readonly time: SimulatedTime;
  readonly mooring: Mooring;
  /** Everything it said, in order. */
  readonly events: MooringEvent[] = [];
  readonly arrivals: Arrival[] = [];

  constructor({ config = {}, seed = 1, random = seeded(seed), environment = 'production', ...rest }: HarnessOptions) {
    this.time = rest.time ?? new SimulatedTime();
    this.mooring = createMooring({ ...rest, ...config, environment, env: {}, random, time: this.time });
    this.mooring.events.onAny((event) => this.events.push(event));
  }

  /** The events of one name so far, in order. */
  said<Name extends MooringEventName>(name: Name): MooringEvent<Name>[] {
    return this.events.filter((event) => event.type === name) as unknown[] as MooringEvent<Name>[];
  }

  /** A socket arrives; whether it is admitted, waits or is refused is for the test to see. */
  arrive(userId: string, threadId: string, options: PeerOptions = {}): Arrival {
    const transport = new FakeConnection({ ...options, time: this.time });
    const context = createUserExecutionContext({ userId, threadId });
    const leaving = new AbortController();
    const connected = this.mooring.connect(transport, context, { signal: leaving.signal });
    let settled: Connected | null = null;
    const arrival: Arrival = {
      transport,
      context,
      connected: connected.then((outcome) => {
        if (outcome.connection !== null) introduced(transport, outcome.connection, options);
        return (settled = outcome);
      }),
      get outcome() {
        return settled;
      },
      vanish: () => {
        transport.vanish();
        leaving.abort();
      },
      leave: () => {
        leaving.abort();
      },
    };
    this.arrivals.push(arrival);
    return arrival;
  }

  /** A socket arrives that is admitted without waiting for anything that takes time. */
  async connect(userId: string, threadId: string, options: PeerOptions = {}): Promise<Client> {
    const { transport, context, connected } = this.arrive(userId, threadId, options);
    const { connection, manager, refusal } = await connected;
    if (refusal !== null) throw refusal;
    return { transport, context, connection, manager };
  }

  /** Sockets with threads of their own, `thread_1` to `thread_<count>` after the prefix given. */
  async fill(userId: string, count: number, { prefix = '', ...options }: PeerOptions & { prefix?: string } = {}) {
    const clients: Client[] = [];
    for (let i = 1; i <= count; i++) clients.push(await this.connect(userId, `thread_${prefix}${i}`, options));
    return clients;
  }

  /** Asks for a slot without a socket. */
  admit(userId: string, threadId: string): Admission | PendingAdmission {
    return this.mooring.decide({ userId, threadId });
  }

  /** The ticket of a slot that must be granted at once. */
  ticket(userId: string, threadId: string): Ticket {
    const outcome = this.admit(userId, threadId);
    if (isPending(outcome)) throw new Error(`${userId} ${threadId} has to wait`);
    if (outcome.refusal !== null) throw outcome.refusal;
    return outcome.ticket;
  }

  /** A slot that must not be decided at once. */
  wait(userId: string, threadId: string): PendingAdmission {
    const outcome = this.admit(userId, threadId);
    if (!isPending(outcome)) throw new Error(`${userId} ${threadId} does not have to wait`);
    return outcome;
  }

  /** The refusal of a newcomer that must be refused at once. */
  refusal(userId: string, threadId: string): RefusalError {
    const outcome = this.admit(userId, threadId);
    if (isPending(outcome) || outcome.refusal === null) throw new Error(`${userId} ${threadId} is not refused`);
    return outcome.refusal;
  }

  /** A fake socket on the harness's time, attached to nothing. */
  socket(options: PeerOptions = {}): FakeConnection {
    return new FakeConnection({ ...options, time: this.time });
  }

  /** Opens a ticket with a socket of its own. */
  open(ticket: Ticket, options: PeerOptions = {}): Client {
    const transport = this.socket(options);
    const { connection, refusal } = ticket.open(transport);
    if (refusal !== null) throw refusal;
    introduced(transport, connection, options);
    return { transport, context: ticket.context, connection, manager: connection.manager };
  }

  countOf(userId: string): number {
    return this.mooring.managerCountOf(userId);
  }

  /** The user's threads that have a manager, oldest first. */
  threadsOf(userId: string): string[] {
    return this.mooring.managersOf(userId).map((manager) => manager.threadId);
  }

  /** Stops it and lets as long pass as that can take. */
  async stop(): Promise<void> {
    const stopped = this.mooring.stop();
    await this.time.advance(60_000);
    await stopped;
  }
}

/** One that falls silent has mostly answered before; one that is `isNew` has not. */
function introduced(
  transport: FakeConnection,
  connection: ManagedConnection,
  { pongAfterMs, isNew }: PeerOptions,
): void {
  transport.bind(connection);
  if (pongAfterMs === null && isNew !== true) connection.roundTripMs = 0;
}

/** A Mooring for one test; {@link expectNothingLeft} of it when the test is over. */
export function harness(options: HarnessOptions = {}): Harness {
  const made = new Harness(options);
  afterThisTest(() => expectNothingLeft(made));
  return made;
}

/** Stops it, and expects no timer, no manager, nobody waiting, and every manager released exactly once. */
async function expectNothingLeft(made: Harness): Promise<void> {
  await made.stop();
  expect(made.time.pendingTimers).toBe(0);
  expect(made.mooring.managerCount).toBe(0);
  expect([...made.mooring.users()]).toEqual([]);
  expect(made.mooring.monitor.watchedUsers).toBe(0);
  expect(made.arrivals.filter(({ outcome }) => outcome === null)).toEqual([]);
  expectReleasedOnce(made.events);
}

/** Every `manager.admitted` is followed by exactly one `manager.released` of its key before the next. */
function expectReleasedOnce(events: readonly MooringEvent[]): void {
  const live = new Set<string>();
  for (const event of events) {
    if (event.type === 'manager.admitted') {
      expect(live, 'a key is admitted once at a time').not.toContain(event.key);
      live.add(event.key);
    } else if (event.type === 'manager.released') {
      expect(live, 'only what was admitted is released').toContain(event.key);
      live.delete(event.key);
    }
  }
  expect([...live], 'everything admitted was released').toEqual([]);
}

/** Random numbers that are the same in every run (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
