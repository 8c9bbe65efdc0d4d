import type { Mooring } from '../core/mooring.js';
import type { WebSocketManager } from '../core/managers/manager.js';
import type { WebSocketConfig } from '../core/settings.js';
import type { Visitor } from './server.js';
import type { SimulatedSocket } from './socket.js';
import type { WorldTime } from './world-time.js';

/** What the judges read of a world. */
export interface JudgedWorld {
  readonly time: WorldTime;
  readonly mooring: Mooring;
  readonly config: WebSocketConfig;
  /** The shared quota, if there is one. */
  readonly ledger: { readonly size: number } | null;
  /** Whether a stop was requested. */
  readonly isStopping: boolean;
  /** Milliseconds in which the server ran. */
  readonly now: () => number;
  /** The possible error, in ms, of a time that the server measured since then: stamps are coarse, stalls noticed late. */
  slackSince(atMs: number): number;
  /** The possible error, in ms, of a time that the server measured since then by its clock, which notices stalls late. */
  stallSlackSince(atMs: number): number;
  /** Whether the release of this key's manager is being requested at this moment. */
  isAskedFor(key: string): boolean;
  /** The key of the manager that has this connection now. */
  currentKeyOf(socket: SimulatedSocket): string | undefined;
  /** The connections of managers, each with its manager. */
  current(): Iterable<readonly [SimulatedSocket, WebSocketManager]>;
  /** The latest newcomer with this key that has been neither admitted nor refused. */
  newcomerOf(key: string): Visitor | undefined;
  /** The connection of the manager with this key. */
  socketOf(key: string): SimulatedSocket | null;
  /** The connections that count for a user, except those that a newer one of their thread is about to replace. */
  socketsOf(userId: string): SimulatedSocket[];
  /** The user's limit as it is now. */
  limitOf(userId: string): number;
}
