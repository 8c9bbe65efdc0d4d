import type { HeapItem } from '../deadline-heap.js';

/** Options of `manager.hold`. */
export interface HoldOptions {
  /**
   * How long the hold lasts unless it is ended or renewed before, in milliseconds: 1 to 2,147,483,647.
   * @default the setting maxHoldMs
   */
  readonly maxMs?: number;
}

/** A hold on a manager. Call it to end it; `using hold = manager.hold()` ends it with the block. */
export interface Hold {
  /** Ends the hold. @returns whether it lasted until this call. Never throws. */
  (): boolean;
  /**
   * Lets the hold last for its `maxMs` from now on.
   * @returns `false` if the hold has ended or expired, or the manager is released: then nothing happens. Never throws.
   */
  renew(): boolean;
  /** Ends the hold. Never throws. */
  [Symbol.dispose](): void;
}

/** @internal A hold that has neither ended nor expired. */
export interface LastingHold extends HeapItem {
  /** Whether `hold.forgotten` was emitted for it. */
  isToldForgotten: boolean;
}
