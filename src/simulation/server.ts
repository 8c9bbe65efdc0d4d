import type { PendingAdmission } from '../core/admission/outcome.js';
import type { ContextFields } from '../core/identity/user-execution-context.js';
import type { WebSocketManager } from '../core/managers/manager.js';
import type { Chance } from './chance.js';
import type { PeerProcess } from './peer-process.js';
import type { SimulatedSocket } from './socket.js';
import type { Traits } from './traits.js';
import type { WorldTime } from './world-time.js';

/** A client that waits, is connected, or is gone. */
export class Visitor {
  state: 'waiting' | 'open' | 'gone' = 'waiting';
  manager: WebSocketManager | null = null;
  /** The decision it waits for. */
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

  /** Whether it sent bytes since it was accepted. A client that was not accepted has just sent its request. */
  get isHeard(): boolean {
    return !this.isAccepted || this.socket.bytesReceived > 0;
  }
}

/** How a client connects. */
export interface Coming {
  readonly traits: Traits;
  /** The randomness of its line. @default the server's */
  readonly chance?: Chance;
  /** The process it lives in, if that ever pauses. */
  readonly process?: PeerProcess | null;
  /** How long the handshake takes after the grant. @default 0 */
  readonly openAfterMs?: number;
  /** Called when the client learns that it was refused, or that its connection ended. */
  readonly whenEnded?: (code: number, reason: string) => void;
  readonly whenOpen?: (visitor: Visitor) => void;
}

/** A slot that counts for a user, with its connection. */
export interface Slot {
  readonly userId: string;
  readonly socket: SimulatedSocket;
}

/** Is told what a server does to clients. */
export interface Witness {
  /** A client was refused for quota after this wait. */
  refused(userId: string, waitedMs: number): void;
  /** The server closes a connection. */
  closes(socket: SimulatedSocket): void;
}

/** A server as its clients see it, whatever algorithm runs in it. */
export abstract class SimulatedServer {
  abstract readonly time: WorldTime;
  abstract readonly chance: Chance;
  /** All clients that have not gone. */
  readonly visitors = new Set<Visitor>();
  witness: Witness | null = null;
  /** Whether no client connects any longer. */
  isEnding = false;
  /** How many connections were requested. */
  wanted = 0;

  /** A client connects. */
  abstract arrive(fields: ContextFields, coming: Coming): Visitor;

  /** The slots of all users. */
  abstract slots(): Iterable<Slot>;

  /** The slots of one user. */
  abstract slotsOf(userId: string): Iterable<Slot>;

  abstract get slotCount(): number;

  /** Milliseconds in which the server ran. */
  abstract readonly now: () => number;

  /** The server does not run for this long. */
  abstract stall(forMs: number): void;

  /** Lets time pass until then. */
  abstract runUntil(atMs: number): Promise<void>;

  /** The client goes; if it is connected, it says goodbye. */
  leave(visitor: Visitor): void {
    if (visitor.state === 'open' || visitor.isAccepted) visitor.socket.leave();
    this.#isGone(visitor);
  }

  /** The client disappears without a close frame. */
  vanish(visitor: Visitor): void {
    visitor.socket.fallSilent();
    this.#isGone(visitor);
  }

  /** If it waits as an open socket, the server forgets it only when it notices. */
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

  /** Tells the server, if that knows holds. @returns ends the hold */
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
