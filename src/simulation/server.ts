import type { PendingAdmission } from '../core/admission/admission.js';
import type { ContextFields } from '../core/identity/user-execution-context.js';
import type { WebSocketManager } from '../core/managers/manager.js';
import type { Chance } from './chance.js';
import type { SimulatedSocket, Traits } from './socket.js';
import type { WorldTime } from './world-time.js';

/** A client that came: it waits, is connected, or is gone. */
export class Visitor {
  state: 'waiting' | 'open' | 'gone' = 'waiting';
  manager: WebSocketManager | null = null;
  /** Ends what it waits for. */
  pending: PendingAdmission | null = null;
  /** Ends the application's hold. */
  letGo: (() => void) | null = null;

  constructor(
    readonly fields: ContextFields,
    readonly socket: SimulatedSocket,
  ) {}
}

/** How somebody comes in. */
export interface Coming {
  readonly traits: Traits;
  /** What its line draws from. @default the server's */
  readonly chance?: Chance;
  /** What the handshake takes after the grant. @default 0 */
  readonly openAfterMs?: number;
  /** Told when it is refused, or when its connection ended, once the client knows. */
  readonly whenEnded?: (code: number, reason: string) => void;
  readonly whenOpen?: (visitor: Visitor) => void;
}

/** What counts for a user, with the connection it stands for. */
export interface Slot {
  readonly userId: string;
  readonly socket: SimulatedSocket;
}

/** Told what a server does to people. */
export interface Witness {
  /** Somebody was refused because of what the user holds, after so long a wait. */
  refused(userId: string, waitedMs: number): void;
  /** The server closes a connection. */
  closes(socket: SimulatedSocket): void;
}

/** What people see of a server, whatever algorithm runs in it. */
export abstract class SimulatedServer {
  abstract readonly time: WorldTime;
  abstract readonly chance: Chance;
  /** Everybody who has not gone. */
  readonly visitors = new Set<Visitor>();
  witness: Witness | null = null;
  /** Nobody comes any longer. */
  isEnding = false;
  /** How often somebody wanted in. */
  wanted = 0;

  /** Somebody wants in. */
  abstract arrive(fields: ContextFields, coming: Coming): Visitor;

  /** All that counts for anybody. */
  abstract slots(): Iterable<Slot>;

  /** What counts for one user. */
  abstract slotsOf(userId: string): Iterable<Slot>;

  abstract get slotCount(): number;

  /** Milliseconds in which the server ran. */
  abstract readonly now: () => number;

  /** The server does not run for so long. */
  abstract stall(forMs: number): void;

  /** Lets time pass until then. */
  abstract runUntil(atMs: number): Promise<void>;

  /** It goes, in an orderly way where it is connected. */
  leave(visitor: Visitor): void {
    if (visitor.state === 'open') visitor.socket.leave();
    this.forget(visitor);
  }

  /** It is gone without a word. */
  vanish(visitor: Visitor): void {
    visitor.socket.fallSilent();
    // What waits in front of the door is a TCP connection too, but there its end is noticed.
    this.forget(visitor);
  }

  /** The application streams to it, until `letGo`. */
  hold(visitor: Visitor): void {
    if (visitor.state !== 'open' || visitor.letGo !== null) return;
    const letGo = this.holdFor(visitor);
    const hold = visitor.socket.hold();
    visitor.letGo = () => {
      letGo();
      visitor.letGo = null;
      hold();
    };
  }

  /** Tells the server so, where it wants to know. */
  protected abstract holdFor(visitor: Visitor): () => void;

  /** The client learns that it was refused, or that its connection ended. */
  protected tell({ whenEnded, traits }: Coming, close: { readonly code: number; readonly reason: string }): void {
    this.time.arrive(traits.roundTripMs / 2, () => whenEnded?.(close.code, close.reason));
  }

  protected forget(visitor: Visitor): void {
    visitor.state = 'gone';
    visitor.pending?.cancel();
    visitor.pending = null;
    this.visitors.delete(visitor);
  }
}
