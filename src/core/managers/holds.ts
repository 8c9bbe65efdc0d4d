import { DeadlineHeap } from '../deadline-heap.js';
import { describe } from '../errors.js';
import type { EventStream } from '../events.js';
import type { WebSocketConfig } from '../settings.js';
import type { Clock, Timer } from '../time.js';
import type { Hold, HoldOptions, LastingHold } from './hold.js';
import type { WebSocketManager } from './manager.js';

/** A hold that lasts, and what it holds. */
interface ManagersHold extends LastingHold {
  readonly manager: WebSocketManager;
  readonly maxMs: number;
  readonly takenAtMs: number;
}

interface HoldsParts {
  readonly clock: Clock;
  readonly config: Pick<WebSocketConfig, 'maxHoldMs'>;
  readonly events: EventStream;
  /** Called when the last hold of a manager that is not released ends or expires. */
  readonly lifecycle: { lastHoldEnded(manager: WebSocketManager): void };
}

/** How many holds one manager can have at once: more are a bug of the application, which ends none of them. */
const maxHolds = 1_000;

/** The longest delay of a timer, in milliseconds. */
const longestMs = 2 ** 31 - 1;

/** The holds of all managers. One timer serves all: it is set to the hold that expires first. */
export class Holds {
  readonly #parts: HoldsParts;
  readonly #lasting = new DeadlineHeap<ManagersHold>();
  #timer: Timer | null = null;
  #timerDueAtMs = Infinity;

  constructor(parts: HoldsParts) {
    this.#parts = parts;
  }

  /** @throws TypeError for options of the wrong type or range, and for more than 1,000 holds of one manager */
  take(manager: WebSocketManager, options: HoldOptions = {}): Hold {
    const maxMs = this.#maxMsOf(options);
    if (manager.isReleased) return endedHold;
    const { holds } = manager.ensureExtras();
    if (holds.size >= maxHolds)
      throw new TypeError(`${manager.key} has ${String(maxHolds)} holds already; end a hold when its run is over`);
    const takenAtMs = this.#parts.clock.now();
    const dueAtMs = takenAtMs + maxMs;
    const hold: ManagersHold = { manager, maxMs, takenAtMs, dueAtMs, isToldForgotten: false, heapIndex: -1 };
    holds.add(hold);
    manager.noteInbound();
    this.#prolong(hold);
    return this.#handleOf(hold);
  }

  /** The manager is released: all its holds end, without an event. */
  managerReleased(manager: WebSocketManager): void {
    const holds = manager.extras?.holds;
    if (holds === undefined || holds.size === 0) return;
    for (const hold of holds) this.#lasting.remove(hold);
    holds.clear();
    this.#disarmIfEmpty();
  }

  /** Emits `hold.forgotten`, once for each hold, if the manager had no activity for its idle timeout. */
  noteForgotten(manager: WebSocketManager): void {
    if (!manager.isHeld || manager.isHoldFresh) return;
    const untold = [...manager.ensureExtras().holds].filter((hold) => !hold.isToldForgotten);
    if (untold.length === 0) return;
    for (const hold of untold) hold.isToldForgotten = true;
    const { clock, events } = this.#parts;
    const idleMs = clock.now() - manager.lastActivityAtMs;
    events.emitOf('hold.forgotten', manager, { holds: untold.length, idleMs });
  }

  /** Leaves no timer. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #maxMsOf(options: unknown): number {
    if (typeof options !== 'object' || options === null)
      throw new TypeError(`hold: got ${describe(options)}, wanted nothing or an object such as { maxMs: 60_000 }`);
    const { maxMs = this.#parts.config.maxHoldMs } = options as { readonly maxMs?: unknown };
    if (typeof maxMs === 'number' && maxMs >= 1 && maxMs <= longestMs) return maxMs;
    throw new TypeError(
      `hold: maxMs: got ${typeof maxMs === 'string' ? JSON.stringify(maxMs) : describe(maxMs)}, wanted a number of milliseconds from 1 to ${String(longestMs)}`,
    );
  }

  #handleOf(hold: ManagersHold): Hold {
    const end = (): boolean => this.#end(hold);
    return Object.assign(end, {
      renew: () => this.#renew(hold),
      [Symbol.dispose]: () => {
        this.#end(hold);
      },
    });
  }

  #renew(hold: ManagersHold): boolean {
    if (hold.heapIndex < 0) return false;
    hold.isToldForgotten = false;
    this.#prolong(hold);
    return true;
  }

  #prolong(hold: ManagersHold): void {
    const now = this.#parts.clock.now();
    hold.manager.ensureExtras().renewedAtMs = now;
    this.#lasting.put(hold, now + hold.maxMs);
    this.#arm();
  }

  #end(hold: ManagersHold): boolean {
    if (!this.#remove(hold)) return false;
    hold.manager.noteInbound();
    this.#reportIfLast(hold.manager);
    return true;
  }

  #remove(hold: ManagersHold): boolean {
    if (!this.#lasting.remove(hold)) return false;
    hold.manager.ensureExtras().holds.delete(hold);
    this.#disarmIfEmpty();
    return true;
  }

  #reportIfLast(manager: WebSocketManager): void {
    if (!manager.isHeld && !manager.isReleased) this.#parts.lifecycle.lastHoldEnded(manager);
  }

  #arm(): void {
    const { first } = this.#lasting;
    if (first === undefined || (this.#timer !== null && this.#timerDueAtMs <= first.dueAtMs)) return;
    const { clock } = this.#parts;
    this.#timer?.cancel();
    this.#timerDueAtMs = first.dueAtMs;
    this.#timer = clock.setTimer(this.#expire, Math.max(0, first.dueAtMs - clock.now()));
  }

  #disarmIfEmpty(): void {
    if (this.#lasting.size === 0) this.stop();
  }

  readonly #expire = (): void => {
    this.#timer = null;
    const now = this.#parts.clock.now();
    for (let { first } = this.#lasting; first !== undefined && first.dueAtMs <= now; { first } = this.#lasting)
      this.#expired(first, now);
    this.#arm();
  };

  #expired(hold: ManagersHold, now: number): void {
    const { manager, takenAtMs, maxMs } = hold;
    this.#remove(hold);
    this.#parts.events.emitOf('hold.expired', manager, { maxMs, heldMs: now - takenAtMs });
    this.#reportIfLast(manager);
  }
}

const no = (): boolean => false;

/** The hold that `hold()` of a released manager returns. */
const endedHold: Hold = Object.freeze(Object.assign((): boolean => false, { renew: no, [Symbol.dispose]: no }));
