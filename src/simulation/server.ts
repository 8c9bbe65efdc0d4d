import type { PendingAdmission } from '../core/admission/outcome.js';
import type { ContextFields } from '../core/identity/user-execution-context.js';
import type { WebSocketManager } from '../core/managers/manager.js';
import type { Chance } from './chance.js';
import type { SimulatedSocket } from './socket.js';
import type { Peer, SocketServer } from './traits.js';
import type { WorldTime } from './world-time.js';

/** A client that waits, is connected, or is gone. */
export class SimulatedClient {
  state: 'waiting' | 'open' | 'gone' = 'waiting';
  manager: WebSocketManager | null = null;
  /** The decision that it waits for. */
  pending: PendingAdmission | null = null;
  /** Whether its socket was accepted while it waits. */
  isAccepted = false;
  /** Whether it is gone and the server has not noticed. */
  isGoneUnnoticed = false;
  /** Ends the application's hold. */
  endHold: (() => void) | null = null;

  constructor(
    readonly fields: ContextFields,
    readonly socket: SimulatedSocket,
  ) {}

  /** Whether it has sent bytes since it was accepted. A client that was not accepted has just sent its request. */
  get hasSentBytes(): boolean {
    return !this.isAccepted || this.socket.bytesReceived > 0;
  }
}

/** How a client connects. */
export interface ConnectOptions extends Peer {
  /** How long the handshake takes after the slot is granted, in milliseconds. @default 0 */
  readonly openAfterMs?: number;
  /** Called when the client learns that it was refused, or that its connection ended. */
  readonly onEnd?: (code: number, reason: string) => void;
  readonly onOpen?: (client: SimulatedClient) => void;
}

/** A slot that counts for a user, with its connection. */
export interface Slot {
  readonly userId: string;
  readonly socket: SimulatedSocket;
}

/** Hears what a server does to clients. */
export interface ServerObserver {
  /** A client was refused for quota after it had waited this long. */
  onRefused(userId: string, waitedMs: number): void;
  /** The server is about to close a connection. */
  onClose(socket: SimulatedSocket): void;
}

/** A server as its clients see it, whatever algorithm runs in it. */
export abstract class SimulatedServer implements SocketServer {
  abstract readonly time: WorldTime;
  abstract readonly chance: Chance;
  abstract readonly maxHoldMs: number;
  /** All clients that have not gone. */
  readonly clients = new Set<SimulatedClient>();
  observer: ServerObserver | null = null;
  /** Whether clients no longer connect. */
  isEnding = false;
  /** How many connections were requested. */
  wanted = 0;

  /** A client connects. */
  abstract connect(fields: ContextFields, options: ConnectOptions): SimulatedClient;

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

  /** The client goes. If it is connected, it sends a close frame. */
  leave(client: SimulatedClient): void {
    if (client.state === 'open' || client.isAccepted) client.socket.leave();
    this.#isGone(client);
  }

  /** The client disappears without a close frame. */
  vanish(client: SimulatedClient): void {
    client.socket.fallSilent();
    this.#isGone(client);
  }

  /** If its socket was accepted while it waits, the server forgets it only when it notices. */
  #isGone(client: SimulatedClient): void {
    if (client.state === 'waiting' && client.isAccepted) client.isGoneUnnoticed = true;
    else this.forget(client);
  }

  /** The application holds the client's manager, until `endHold`. */
  hold(client: SimulatedClient): void {
    if (client.state !== 'open' || client.endHold !== null) return;
    const endManagersHold = client.manager?.hold();
    const endSocketsHold = client.socket.hold();
    client.endHold = () => {
      endManagersHold?.();
      client.endHold = null;
      endSocketsHold();
    };
  }

  /** The client learns that it was refused. */
  protected notifyRefused(
    { onEnd, traits, process }: ConnectOptions,
    close: { readonly code: number; readonly reason: string },
  ): void {
    const learn = (): void => onEnd?.(close.code, close.reason);
    this.time.schedule(traits.roundTripMs / 2, () => {
      if (process) process.run(learn);
      else learn();
    });
  }

  protected forget(client: SimulatedClient): void {
    client.state = 'gone';
    client.pending?.cancel();
    client.pending = null;
    this.clients.delete(client);
  }
}
