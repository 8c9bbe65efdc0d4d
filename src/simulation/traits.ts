import type { Clock } from '../core/time.js';
import type { ManagedConnection } from '../core/managers/managed-connection.js';
import type { Chance } from './chance.js';
import type { PeerProcess } from './peer-process.js';
import type { WorldTime } from './world-time.js';

/** The calls of a simulated socket that can be told to throw. */
export const throwingCalls = ['ping', 'close', 'terminate', 'isOpen'] as const;

/** What a peer and the network path to it are like. */
export interface Traits {
  /** From the server to the peer and back, in milliseconds. */
  readonly roundTripMs: number;
  /** The part of all transmissions that begin a burst of loss. What is sent in a burst arrives late. */
  readonly lossRatio: number;
  /** How long the peer takes to answer a close frame, besides the round trip; `null`: it never does. */
  readonly closeAfterMs: number | null;
  /** Which calls of the server's socket throw. */
  readonly throwsFrom: readonly (typeof throwingCalls)[number][];
}

/** A nearby peer that does all it should. */
export const wellBehaved: Traits = Object.freeze({
  roundTripMs: 40,
  lossRatio: 0,
  closeAfterMs: 0,
  throwsFrom: Object.freeze([]),
});

/** The client's end of a connection. */
export interface Peer {
  readonly traits: Traits;
  /** The randomness of its network path. @default the server's */
  readonly chance?: Chance;
  /** Its process, if that ever pauses. */
  readonly process?: PeerProcess | null;
}

/** What a socket needs of its server. */
export interface SocketServer {
  readonly time: WorldTime;
  readonly chance: Chance;
  /** Milliseconds in which the server ran. */
  readonly now: () => number;
  /** After this many milliseconds a hold has expired. */
  readonly maxHoldMs: number;
}

/** What the server's end of a socket reports to, as an adapter does. */
export interface SocketListener extends Pick<
  ManagedConnection,
  'received' | 'touched' | 'sent' | 'ponged' | 'errored' | 'closed'
> {
  readonly clock: Pick<Clock, 'recentMs'>;
}

/** The application's holds on a manager. They outlive a connection that is taken over. */
export interface Holds {
  /** When each of them expires. */
  readonly expiresAtMs: Map<symbol, number>;
  /** When the application last began or ended one. */
  changedAtMs: number;
}
