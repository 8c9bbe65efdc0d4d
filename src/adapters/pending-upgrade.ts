import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { EarlyReader } from './early-reader.js';
import type { Attempt } from './attempt.js';
import type { ServerSnapshot } from './server-snapshot.js';
import type { WaitingClient } from './waiting-client.js';

/** What `ws` is asked to upgrade. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly stream: Duplex;
  /** What the client has sent after its request. */
  readonly head: Buffer;
  /** What is done with the upgraded socket. */
  readonly upgraded: (socket: WebSocket, request: IncomingMessage) => void;
}

/** An upgrade on its way through. */
export class PendingUpgrade implements Upgrade {
  readonly request: IncomingMessage;
  readonly stream: Duplex;
  head: Buffer;
  readonly upgraded: Upgrade['upgraded'];
  /** Watches the client while it is being authenticated. */
  arrival: EarlyReader | null = null;
  /** What its caller had put in place, if the handshake comes after the call. */
  surroundings: ServerSnapshot | null = null;
  /** Set if it is accepted before it is admitted. */
  wait: WaitingClient | null = null;
  /** Authentication is over, so nobody has to watch the client any longer. */
  isAuthenticated = false;

  constructor(
    { request, stream, head, upgraded }: Upgrade,
    readonly attempt: Attempt,
  ) {
    this.request = request;
    this.stream = stream;
    this.head = head;
    this.upgraded = upgraded;
  }
}
