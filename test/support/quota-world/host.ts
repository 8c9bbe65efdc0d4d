import { StallClock } from '../../../src/core/liveness/stall-clock.js';
import type { LedgerAnswer, LedgerHost, QuotaClaim } from '../../../src/core/quota/quota-ledger.js';
import type { LedgerState } from '../../../src/core/vocabulary.js';
import { RedisLedger } from '../../../src/redis/redis-ledger.js';
import type { ScriptClient } from '../../../src/redis/script-client.js';
import { Chance } from '../../../src/simulation/chance.js';
import type { ProcessTime } from './process-time.js';

/** A connection that wants a slot. */
export interface Newcomer {
  readonly user: string;
  readonly thread: string;
  /** When it came, in the time of the world. */
  readonly arrivedAtMs: number;
  readonly patientUntilMs: number;
  readonly opensAfterMs: number;
  readonly vanishes: boolean;
}

/** A thread of a user that has a place in a process. */
export interface Manager {
  readonly host: Host;
  readonly claim: QuotaClaim;
  /** Whether the ledger granted it. Otherwise the local limit decided. */
  readonly isGranted: boolean;
  /** When its newest connection came, as far as the ledger knows. */
  arrivedAtMs: number;
  /** How many of its connections have been open. */
  opened: number;
  /** Whether a newer connection got the answer for an older one. */
  isPassedOn: boolean;
  isOver: boolean;
  /** The newest connection that is not open yet. */
  ticket: Newcomer | null;
}

/** How the ledger answered. */
export interface Answered {
  readonly afterMs: number;
  /** Whether it was down when it was asked. */
  readonly wasDown: boolean;
}

/** A newcomer for which the ledger is asked. */
export type Asked = Pick<Manager, 'host' | 'claim' | 'arrivedAtMs'>;

/** What the judges hear of. */
export interface Witness {
  asked(asked: Asked): void;
  answered(host: Host, answer: LedgerAnswer['granted'], how: Answered): void;
  made(manager: Manager): void;
  opened(manager: Manager): void;
  released(manager: Manager, why: string): void;
  superseded(manager: Manager): void;
  stateChanged(host: Host, state: LedgerState): void;
}

interface HostParts {
  /** Its place among the processes. */
  readonly place: number;
  /** Which process it is, of all that there have been. */
  readonly id: number;
  readonly time: ProcessTime;
  readonly limit: number;
  readonly seed: number;
  readonly witness: Witness;
  readonly worldNow: () => number;
  readonly makeClient: (onReady: () => void) => ScriptClient;
}

/** A newcomer for which the ledger is asked. */
interface Question {
  readonly claim: QuotaClaim;
  arrivedAtMs: number;
  newcomer: Newcomer;
  isPassedOn: boolean;
  isOpen: boolean;
}

const nodeBeatMs = 1_000;
export const nodeTimeoutMs = 5_000;
/** For how long a denial holds, as in the core. */
const denialMs = 500;
/** For how long a newcomer waits in the queue. */
export const patienceMs = 5_000;

/** A process: a ledger on Redis, and what the core would do with its answers. */
export class Host {
  readonly place: number;
  readonly id: number;
  readonly time: ProcessTime;
  readonly clock: StallClock;
  state: LedgerState = 'suspended';
  readonly managers = new Map<string, Manager>();
  readonly #parts: HostParts;
  readonly #ledger: RedisLedger;
  readonly #questions = new Map<string, Question>();
  readonly #queue: Newcomer[] = [];
  readonly #denied = new Set<string>();
  #isStopping = false;
  #claims = 0;

  constructor(parts: HostParts) {
    this.#parts = parts;
    this.place = parts.place;
    this.id = parts.id;
    this.time = parts.time;
    this.clock = new StallClock({ time: parts.time, toleranceMs: 500 });
    this.#ledger = new RedisLedger(parts.makeClient);
    this.#ledger.attach(this.#ledgerHost());
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Newcomers for which the ledger has not answered yet. */
  get isAsking(): boolean {
    return this.#questions.size > 0;
  }

  arrive(newcomer: Newcomer): void {
    if (this.#isStopping) return;
    const key = keyOf(newcomer);
    const manager = this.managers.get(key);
    const question = this.#questions.get(key);
    const queued = this.#queue.findIndex((other) => keyOf(other) === key);
    if (manager !== undefined) this.#issue(manager, newcomer);
    else if (question !== undefined) this.#passOn(question, newcomer);
    else if (queued >= 0) this.#queue[queued] = newcomer;
    else if (this.#hasRoom(newcomer.user)) this.#ask(newcomer);
    else this.#enqueue(newcomer);
  }

  /** The connection of a thread ends, or the newcomer goes. */
  end(user: string, thread: string): void {
    const key = keyOf({ user, thread });
    const manager = this.managers.get(key);
    if (manager !== undefined) this.#release(manager, 'ended');
    const queued = this.#queue.findIndex((other) => keyOf(other) === key);
    if (queued >= 0) this.#queue.splice(queued, 1);
    const question = this.#questions.get(key);
    if (question !== undefined) this.#leave(question);
  }

  endAll(): void {
    this.#queue.length = 0;
    for (const question of [...this.#questions.values()]) this.#leave(question);
    for (const manager of [...this.managers.values()]) this.#release(manager, 'ended');
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.endAll();
    await this.#ledger.stop();
    this.clock.dispose();
  }

  #ledgerHost(): LedgerHost {
    const { limit, seed, witness } = this.#parts;
    return {
      clock: this.clock,
      random: new Chance(seed).next,
      config: { maxManagersPerUser: limit, nodeBeatMs, nodeTimeoutMs },
      levelsOf: (ofLimit) => [ofLimit],
      superseded: (claim) => {
        const manager = [...this.managers.values()].find((one) => one.claim.claimId === claim.claimId);
        if (manager === undefined) return;
        witness.superseded(manager);
        this.#release(manager, 'moved');
      },
      totalChanged: (userId) => {
        this.#denied.delete(userId);
        this.#serve(userId);
      },
      stateChanged: ({ state }) => {
        this.state = state;
        witness.stateChanged(this, state);
      },
      limitDiffers: () => undefined,
    };
  }

  #hasRoom(user: string): boolean {
    const taken = [...this.managers.values()].filter(({ claim }) => claim.userId === user).length;
    const asked = [...this.#questions.values()].filter(({ claim }) => claim.userId === user).length;
    return !this.#denied.has(user) && taken + asked < this.#parts.limit;
  }

  #enqueue(newcomer: Newcomer): void {
    this.#queue.push(newcomer);
    this.#expire(newcomer);
  }

  #expire(newcomer: Newcomer): void {
    this.clock.setTimer(() => {
      const at = this.#queue.findIndex(({ patientUntilMs }) => patientUntilMs === newcomer.patientUntilMs);
      if (at >= 0) this.#queue.splice(at, 1);
    }, newcomer.patientUntilMs - this.#parts.worldNow());
  }

  #serve(user: string): void {
    for (let at = 0; at >= 0 && !this.#isStopping && this.#hasRoom(user);) {
      at = this.#queue.findIndex((one) => one.user === user);
      const [newcomer] = at >= 0 ? this.#queue.splice(at, 1) : [];
      // A place in the queue has no time at the ledger: its connection counts from when it is asked for.
      if (newcomer !== undefined) this.#ask({ ...newcomer, arrivedAtMs: this.#parts.worldNow() });
    }
  }

  #ask(newcomer: Newcomer): void {
    const { witness, limit } = this.#parts;
    const claim = { userId: newcomer.user, threadId: newcomer.thread, claimId: (this.#claims += 1) };
    const { arrivedAtMs } = newcomer;
    const question: Question = { claim, newcomer, arrivedAtMs, isPassedOn: false, isOpen: true };
    this.#questions.set(keyOf(newcomer), question);
    const askedAtMs = this.clock.now();
    witness.asked({ host: this, claim, arrivedAtMs: newcomer.arrivedAtMs });
    const wasDown = this.state === 'down';
    const answered = (answer: LedgerAnswer): void => {
      witness.answered(this, answer.granted, { afterMs: this.clock.now() - askedAtMs, wasDown });
      this.#answered(question, answer);
    };
    const answer = this.#ledger.acquire(claim, limit);
    if (answer instanceof Promise) {
      // What failed may have been done all the same, and the local limit decides.
      answer.then(answered, () => {
        answered({ granted: 'unknown' });
      });
    } else answered(answer);
  }

  /** A newer connection of the thread gets the answer. */
  #passOn(question: Question, newcomer: Newcomer): void {
    question.newcomer = newcomer;
    question.isPassedOn = true;
    question.arrivedAtMs = newcomer.arrivedAtMs;
    this.#ledger.renewed(question.claim);
  }

  #answered(question: Question, { granted }: LedgerAnswer): void {
    const { claim, newcomer, isOpen } = question;
    if (!isOpen) {
      if (granted === true || granted === 'unknown') void this.#ledger.release(claim);
      return;
    }
    this.#close(question);
    if (granted === true || granted === 'unknown') this.#make(question, granted === true);
    else if (granted === false) this.#deny(newcomer);
    if (granted !== false) {
      this.#denied.delete(claim.userId);
      this.#serve(claim.userId);
    }
  }

  #make({ claim, newcomer, arrivedAtMs, isPassedOn }: Question, isGranted: boolean): void {
    const manager = { host: this, claim, isGranted, arrivedAtMs, opened: 0, isPassedOn, isOver: false, ticket: null };
    this.managers.set(keyOf(newcomer), manager);
    this.#parts.witness.made(manager);
    this.#issue(manager, newcomer);
  }

  #deny(newcomer: Newcomer): void {
    const { user } = newcomer;
    if (this.#parts.worldNow() > newcomer.patientUntilMs) return;
    this.#queue.unshift(newcomer);
    this.#denied.add(user);
    this.clock.setTimer(() => {
      if (this.#denied.delete(user)) this.#serve(user);
    }, denialMs);
  }

  /** A connection may open the manager, unless a newer one comes before. */
  #issue(manager: Manager, newcomer: Newcomer): void {
    manager.ticket = newcomer;
    this.clock.setTimer(() => {
      if (manager.ticket !== newcomer || manager.isOver) return;
      manager.ticket = null;
      if (!newcomer.vanishes) this.#open(manager);
      else if (manager.opened === 0) this.#release(manager, 'vanished');
    }, newcomer.opensAfterMs);
  }

  #open(manager: Manager): void {
    manager.opened += 1;
    // The ledger hears of it now. The first counts from when it was asked for.
    if (manager.opened > 1) manager.arrivedAtMs = this.#parts.worldNow();
    if (manager.opened === 1) this.#ledger.opened(manager.claim);
    else this.#ledger.renewed(manager.claim);
    this.#parts.witness.opened(manager);
  }

  #release(manager: Manager, why: string): void {
    const { userId: user, threadId: thread } = manager.claim;
    manager.isOver = true;
    this.managers.delete(keyOf({ user, thread }));
    this.#parts.witness.released(manager, why);
    void this.#ledger.release(manager.claim);
    this.#denied.delete(user);
    this.#serve(user);
  }

  #leave(question: Question): void {
    this.#close(question);
    void this.#ledger.release(question.claim);
  }

  #close(question: Question): void {
    question.isOpen = false;
    this.#questions.delete(keyOf(question.newcomer));
  }
}

export function keyOf({ user, thread }: { readonly user: string; readonly thread: string }): string {
  return `${user} ${thread}`;
}
