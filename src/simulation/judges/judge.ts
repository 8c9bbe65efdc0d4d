import type { Mooring } from '../../core/mooring.js';
import type { WebSocketManager } from '../../core/managers/manager.js';
import type { WebSocketConfig } from '../../core/settings.js';
import type { Report } from '../promises.js';
import type { SimulatedClient } from '../server.js';
import type { SimulatedSocket } from '../socket.js';
import type { WorldTime } from '../world-time.js';

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
  /** The possible error, in ms, of a time measured by the server since then: stamps are coarse, stalls noticed late. */
  slackSince(atMs: number): number;
  /** The same for a time measured by its clock alone, which only notices stalls late. */
  stallSlackSince(atMs: number): number;
  /** Whether the release of this key's manager is being requested at this moment. */
  isReleaseRequested(key: string): boolean;
  /** The key of the manager that has this connection now. */
  currentKeyOf(socket: SimulatedSocket): string | undefined;
  /** The connections of managers, each with its manager. */
  current(): Iterable<readonly [SimulatedSocket, WebSocketManager]>;
  /** The latest newcomer with this key that has been neither admitted nor refused. */
  newcomerOf(key: string): SimulatedClient | undefined;
  /** The connection of the manager with this key. */
  socketOf(key: string): SimulatedSocket | null;
  /** The connections that count for a user, except those that a newer one of their thread is about to replace. */
  socketsOf(userId: string): SimulatedSocket[];
  /** The user's limit as it is now. */
  limitOf(userId: string): number;
}

/** Judges one aspect of what a server does, and reports each broken promise. */
export abstract class Judge {
  #nextLookAtMs = 0;

  constructor(
    protected readonly world: JudgedWorld,
    protected readonly report: Report,
  ) {}

  /** Whether it is time to look again, which is once in so many milliseconds. */
  protected isTimeToLook(everyMs: number): boolean {
    const nowMs = this.world.now();
    if (nowMs < this.#nextLookAtMs) return false;
    this.#nextLookAtMs = nowMs + everyMs;
    return true;
  }
}
