import type { Chance } from './chance.js';
import type { PeerProcess } from './peer-process.js';
import type { WorldTime } from './world-time.js';

/** What a peer and the way to it are like. */
export interface Traits {
  /** From here to the peer and back, in milliseconds. */
  readonly roundTripMs: number;
  /** How many of all transmissions begin a burst of loss: what is sent in it comes late. */
  readonly lossRatio: number;
  /** How long the peer takes to answer a close frame, beside the way; `null`: it never does. */
  readonly closeAfterMs: number | null;
  /** Which calls of the server's own socket throw. */
  readonly throwsFrom: readonly ('ping' | 'close' | 'terminate' | 'isOpen')[];
}

/** A peer nearby that does all it should. */
export const wellBehaved: Traits = Object.freeze({
  roundTripMs: 40,
  lossRatio: 0,
  closeAfterMs: 0,
  throwsFrom: Object.freeze([]),
});

/** Whom the server's end tells what happens. */
export interface Listener {
  readonly clock: { readonly recentMs: number };
  received(atMs: number): void;
  touched(): void;
  sent(isStuck: boolean, atMs: number): void;
  ponged(payload: string): void;
  errored(error: Error): void;
  closed(): void;
}

/** What the ends of a connection are in. */
export interface Surroundings {
  readonly time: WorldTime;
  readonly chance: Chance;
  /** Milliseconds in which the server ran. */
  readonly now: () => number;
  /** After so long a hold has expired. */
  readonly maxHoldMs: number;
  /** The peer's process, if it ever pauses. @default it never does */
  readonly process?: PeerProcess | null;
}

/** The application's holds on a manager, whichever connection that has. */
export interface Held {
  /** Each with the time when it expires. */
  readonly holds: Map<symbol, number>;
  changedAtMs: number;
}
