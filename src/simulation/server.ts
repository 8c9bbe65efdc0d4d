import type { PendingAdmission } from '../core/admission/outcome.js';
import type { ContextFields } from '../core/identity/user-execution-context.js';
import type { WebSocketManager } from '../core/managers/manager.js';
import type { Chance } from './chance.js';
import type { PeerProcess } from './peer-process.js';
import type { SimulatedSocket } from './socket.js';
import type { Traits } from './traits.js';
import type { WorldTime } from './world-time.js';

/** A client that came: it waits, is connected, or is gone. */
export class Visitor {
  state: 'waiting' | 'open' | 'gone' = 'waiting';
  manager: WebSocketManager | null = null;
  /** Ends what it waits for. */
  pending: PendingAdmission | null = null;
  /** Its socket was accepted, and it waits as an open one. */
  isAccepted = false;
  /** Its client is gone, and nobody has noticed. */
  isGoneUnnoticed = false;
  /** Ends the application's hold. */
  letGo: (() => void) | null = null;

  constructor(
    readonly fields: ContextFields,
    readonly socket: SimulatedSocket,
  ) {}

  /** Whether something came of it since it was accepted; one that was not accepted has just asked to come in. */
  get isHeard(): boolean {
    return !this.isAccepted || this.socket.bytesReceived > 0;
  }
}

/** How somebody comes in. */
export interface Coming {
  readonly traits: Traits;
  /** What its line draws from. @default the server's */
  readonly chance?: Chance;
  /** The process it lives in, if that ever pauses. */
  readonly process?: PeerProcess | null;
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
    if (visitor.state === 'open' || visitor.isAccepted) visitor.socket.leave();
    this.#isGone(visitor);
  }

  /** It is gone without a word. */
  vanish(visitor: Visitor): void {
    visitor.socket.fallSilent();
    this.#isGone(visitor);
  }

  /** While it waits as an open socket, it is forgotten when somebody notices. */
  #isGone(visitor: Visitor): void {
    if (visitor.state === 'waiting' && visitor.isAccepted) visitor.isGoneUnnoticed = true;
    else this.forget(visitor);
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
  protected tell(
    { whenEnded, traits, process }: Coming,
    close: { readonly code: number; readonly reason: string },
  ): void {
    const learn = (): void => whenEnded?.(close.code, close.reason);
    this.time.schedule(traits.roundTripMs / 2, () => {
      if (process) process.run(learn);
      else learn();
    });
  }

  protected forget(visitor: Visitor): void {
    visitor.state = 'gone';
    visitor.pending?.cancel();
    visitor.pending = null;
    this.visitors.delete(visitor);
  }
}
