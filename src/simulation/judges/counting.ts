import type { MooringEvent } from '../../core/events.js';
import type { Report } from '../promises.js';
import { Judge, type JudgedWorld } from './judge.js';
import type { QueueJudge } from './queue.js';

/** How many steps lie between two comparisons of all users: at least `min`, and so many for each user. */
const stepsPerFullCheck = { min: 1_000, perUser: 40 } as const;

/** Counts who holds a slot by the events, and compares that with the registry. */
export class CountJudge extends Judge {
  /** Keys that hold a slot, by user. */
  readonly #live = new Map<string, Set<string>>();
  readonly #queue: QueueJudge;
  /** How many managers users held when their limit was lowered, less what they have given up since. */
  readonly #allowances = new Map<string, number>();
  /** Users of whom something has changed since the last step. */
  readonly #changed = new Set<string>();
  #admitted = 0;
  #released = 0;
  #stepsToFullCheck: number = stepsPerFullCheck.min;

  constructor(world: JudgedWorld, report: Report, queue: QueueJudge) {
    super(world, report);
    this.#queue = queue;
    const { events } = world.mooring;
    events.on('manager.admitted', (event) => this.#onAdmitted(event));
    events.on('manager.released', (event) => this.#onReleased(event));
    events.on('admission.queued', ({ userId, key }) => {
      this.#checkTakeover(userId, key);
      this.#changed.add(userId);
    });
    events.on('admission.refused', ({ userId, key, ahead }) => {
      this.#changed.add(userId);
      // A ledger may deny a slot to a newcomer whose thread has a manager that it has not confirmed.
      if (ahead !== null && world.ledger === null) this.#checkTakeover(userId, key);
    });
    events.on('admission.cancelled', ({ userId }) => this.#changed.add(userId));
  }

  /** What a user holds now may stay, above the new limit. */
  limitLowered(userId: string): void {
    this.#allowances.set(userId, this.world.mooring.managerCountOf(userId));
  }

  /** A newcomer left, and no other newcomer of its thread waits. */
  newcomerLeft(userId: string, key: string): void {
    if (this.#queue.of(userId).some((newcomer) => newcomer.key === key))
      this.report('places come back', `a newcomer left, and ${key} still waits`);
  }

  /** Compares the users that have changed, and sometimes all. */
  step(): void {
    // Not within the events: a freed slot is taken before its release is announced.
    if (this.#changed.size > 0) {
      for (const userId of this.#changed) this.#checkUser(userId);
      this.#changed.clear();
    }
    this.#stepsToFullCheck -= 1;
    if (this.#stepsToFullCheck === 0) this.#checkAll();
  }

  checkQuiet(): void {
    const { managerCount } = this.world.mooring;
    if (managerCount > 0) this.report('no orphans', `${managerCount} managers are left`);
    for (const [userId, queue] of this.#queue.all()) this.report('no orphans', `${queue.length} of ${userId} wait`);
    this.#checkAll();
  }

  #checkAll(): void {
    const users = this.world.mooring.userCount;
    if (users !== this.#live.size) this.report('index is true', `${users} users instead of ${this.#live.size}`);
    for (const userId of this.#live.keys()) this.#checkUser(userId);
    this.#stepsToFullCheck = Math.max(stepsPerFullCheck.min, stepsPerFullCheck.perUser * users);
  }

  #onAdmitted({ userId, key, managerCount }: MooringEvent<'manager.admitted'>): void {
    this.#admitted += 1;
    const live = this.#live.get(userId) ?? new Set();
    this.#live.set(userId, live);
    if (live.has(key)) this.report('released once', `${key} is admitted while it holds a slot`);
    live.add(key);
    this.#changed.add(userId);
    this.#checkLimits(userId);
    const count = this.world.mooring.managerCountOf(userId);
    if (count !== managerCount)
      this.report('told afterwards', `${key} is announced as number ${managerCount}, and ${count} are there`);
  }

  #checkLimits(userId: string): void {
    const { mooring, config } = this.world;
    const count = mooring.managerCountOf(userId);
    const max = Math.max(this.world.limitOf(userId), this.#allowances.get(userId) ?? 0);
    if (count > max) this.report('within the limit', `${userId} holds ${count} of ${max}`);
    const total = config.maxTotalManagers ?? Infinity;
    if (mooring.managerCount > total) this.report('within the total', `${mooring.managerCount} managers of ${total}`);
  }

  #onReleased({ userId, key }: MooringEvent<'manager.released'>): void {
    this.#released += 1;
    const live = this.#live.get(userId);
    if (live?.delete(key) !== true) this.report('released once', `${key} is released and holds no slot`);
    if (live?.size === 0) this.#live.delete(userId);
    this.#changed.add(userId);
    if (this.world.mooring.getManager(key) !== undefined)
      this.report('told afterwards', `${key} is announced as released, and is there`);
  }

  #checkTakeover(userId: string, key: string): void {
    if (this.#live.get(userId)?.has(key) === true)
      this.report('takeover is free', `${key} has a manager, and its newer connection waits for a slot or gets none`);
  }

  #checkUser(userId: string): void {
    const { mooring } = this.world;
    const live = this.#live.get(userId) ?? new Set();
    const count = mooring.managerCountOf(userId);
    if (count !== live.size) this.report('index is true', `${userId} has ${count} managers instead of ${live.size}`);
    const stranger = mooring.managersOf(userId).find(({ key }) => !live.has(key));
    if (stranger !== undefined) this.report('index is true', `${stranger.key} is there, and was not admitted`);
    const total = this.#admitted - this.#released;
    if (mooring.managerCount !== total)
      this.report('index is true', `${mooring.managerCount} managers instead of ${total}`);
    this.#lowerAllowance(userId, count);
    this.#checkWaiting(userId);
  }

  /** Places above a lowered limit that were given up must not be taken again. */
  #lowerAllowance(userId: string, count: number): void {
    const allowance = this.#allowances.get(userId);
    if (allowance === undefined) return;
    if (count <= this.world.limitOf(userId)) this.#allowances.delete(userId);
    else if (count < allowance) this.#allowances.set(userId, count);
  }

  #checkWaiting(userId: string): void {
    const wanted = this.#queue.of(userId).length;
    const got = this.world.mooring.waitingCountOf(userId);
    if (got !== wanted) this.report('places come back', `${got} newcomers of ${userId} wait instead of ${wanted}`);
  }
}
