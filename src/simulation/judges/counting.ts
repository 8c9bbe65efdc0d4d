import type { MooringEvent } from '../../core/events.js';
import type { Report } from '../promises.js';
import type { JudgedWorld } from '../judged-world.js';
import type { LineJudge } from './line.js';

/** How often everything is compared with everything: after so many steps, and so many for each user that costs. */
const stepsPerFullCheck = { min: 1_000, perUser: 40 } as const;

/** A naive model of who holds a slot, fed by the events. */
export class CountJudge {
  readonly #world: JudgedWorld;
  readonly #report: Report;
  /** Keys that hold a slot, by user. */
  readonly #live = new Map<string, Set<string>>();
  readonly #line: LineJudge;
  /** What users held when their limit was lowered, less what they have given up since. */
  readonly #allowances = new Map<string, number>();
  readonly #touched = new Set<string>();
  #admitted = 0;
  #released = 0;
  #stepsToFullCheck: number = stepsPerFullCheck.min;

  constructor(world: JudgedWorld, report: Report, line: LineJudge) {
    this.#world = world;
    this.#report = report;
    this.#line = line;
    const { events } = world.mooring;
    events.on('manager.admitted', (event) => {
      this.#whenAdmitted(event);
    });
    events.on('manager.released', (event) => {
      this.#whenReleased(event);
    });
    events.on('admission.queued', ({ userId, key }) => {
      this.#checkTakeover(userId, key);
      this.#touched.add(userId);
    });
    events.on('admission.refused', ({ userId, key, ahead }) => {
      this.#touched.add(userId);
      // What a ledger denies, it may deny to a manager whose own claim it has not confirmed.
      if (ahead !== null && world.ledger === null) this.#checkTakeover(userId, key);
    });
    events.on('admission.cancelled', ({ userId }) => {
      this.#touched.add(userId);
    });
  }

  limitLowered(userId: string): void {
    this.#allowances.set(userId, this.#world.mooring.managerCountOf(userId));
  }

  newcomerLeft(userId: string, key: string): void {
    if (this.#line.of(userId).some((newcomer) => newcomer.key === key))
      this.#report('places come back', `a newcomer left, and ${key} still waits`);
  }

  /** Compares what was touched, and once in so many steps everything. */
  step(): void {
    // Not within the events: a freed slot is taken before its release is announced.
    if (this.#touched.size > 0) {
      for (const userId of this.#touched) this.#checkUser(userId);
      this.#touched.clear();
    }
    this.#stepsToFullCheck -= 1;
    if (this.#stepsToFullCheck === 0) this.#checkAll();
  }

  checkQuiet(): void {
    const { mooring } = this.#world;
    if (mooring.managerCount > 0) this.#report('no orphans', `${mooring.managerCount} managers are left`);
    for (const [userId, line] of this.#line.all()) this.#report('no orphans', `${line.length} of ${userId} wait`);
    this.#checkAll();
  }

  #checkAll(): void {
    const { mooring } = this.#world;
    const users = mooring.userCount;
    if (users !== this.#live.size) this.#report('index is true', `${users} users instead of ${this.#live.size}`);
    for (const userId of this.#live.keys()) this.#checkUser(userId);
    this.#stepsToFullCheck = Math.max(stepsPerFullCheck.min, stepsPerFullCheck.perUser * users);
  }

  #whenAdmitted({ userId, key, managerCount }: MooringEvent<'manager.admitted'>): void {
    this.#admitted += 1;
    const live = this.#live.get(userId) ?? new Set();
    this.#live.set(userId, live);
    if (live.has(key)) this.#report('released once', `${key} is admitted while it holds a slot`);
    live.add(key);
    this.#touched.add(userId);
    this.#checkLimits(userId);
    const count = this.#world.mooring.managerCountOf(userId);
    if (count !== managerCount)
      this.#report('told afterwards', `${key} is announced as number ${managerCount}, and ${count} are there`);
  }

  #checkLimits(userId: string): void {
    const { mooring, config } = this.#world;
    const limit = this.#world.limitOf(userId);
    const count = mooring.managerCountOf(userId);
    const max = Math.max(limit, this.#allowances.get(userId) ?? 0);
    if (count > max) this.#report('within the limit', `${userId} holds ${count} of ${max}`);
    const total = config.maxTotalManagers ?? Infinity;
    if (mooring.managerCount > total) this.#report('within the total', `${mooring.managerCount} managers of ${total}`);
  }

  #whenReleased({ userId, key }: MooringEvent<'manager.released'>): void {
    this.#released += 1;
    const live = this.#live.get(userId);
    if (live?.delete(key) !== true) this.#report('released once', `${key} is released and holds no slot`);
    if (live?.size === 0) this.#live.delete(userId);
    this.#touched.add(userId);
    if (this.#world.mooring.getManager(key) !== undefined)
      this.#report('told afterwards', `${key} is announced as released, and is there`);
  }

  #checkTakeover(userId: string, key: string): void {
    if (this.#live.get(userId)?.has(key) === true)
      this.#report('takeover is free', `${key} has a manager, and its newer connection waits for a slot or gets none`);
  }

  #checkUser(userId: string): void {
    const { mooring } = this.#world;
    const wanted = this.#live.get(userId) ?? new Set();
    const got = mooring.managersOf(userId);
    const count = mooring.managerCountOf(userId);
    if (count !== wanted.size)
      this.#report('index is true', `${userId} has ${count} managers instead of ${wanted.size}`);
    const stranger = got.find(({ key }) => !wanted.has(key));
    if (stranger !== undefined) this.#report('index is true', `${stranger.key} is there, and was not admitted`);
    const live = this.#admitted - this.#released;
    if (mooring.managerCount !== live)
      this.#report('index is true', `${mooring.managerCount} managers instead of ${live}`);
    this.#lowerAllowance(userId, count);
    this.#checkWaiting(userId);
  }

  /** What was given up above a lowered limit is not taken again. */
  #lowerAllowance(userId: string, count: number): void {
    const allowance = this.#allowances.get(userId);
    if (allowance === undefined) return;
    const isWithin = count <= this.#world.limitOf(userId);
    if (isWithin) this.#allowances.delete(userId);
    else if (count < allowance) this.#allowances.set(userId, count);
  }

  #checkWaiting(userId: string): void {
    const wanted = this.#line.of(userId).length;
    const got = this.#world.mooring.waitingCountOf(userId);
    if (got !== wanted) this.#report('places come back', `${got} newcomers of ${userId} wait instead of ${wanted}`);
  }
}
