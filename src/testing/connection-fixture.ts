import type { AttachedConnection } from '../core/managers/manager.js';
import type { Disposable } from './contract.js';

/** The client's end, as far as the contract needs it. */
export interface ContractPeer {
  /** Sends one application message with a payload of this size. */
  send(bytes: number): void;
  /** Sends this many bytes of a message, and not its end. The next `send` ends it. */
  sendPart(bytes: number): void;
  /** Sends a WebSocket ping, which is no activity. */
  ping(): void;
  /** Sends a keepalive of the application that Mooring recognises, such as `{"type":"ping"}`. It is no activity. */
  keepalive(): void;
  /** Breaks the WebSocket protocol, for example with a frame without a mask. */
  breakProtocol(): void;
  /** Stops reading and answering, and does not close: like a suspended process. */
  freeze(): void;
  /** Reads and answers again. */
  thaw(): void;
  /** Closes with a close frame. */
  close(): void;
  /** Closes without a close frame: its socket is reset or ended. */
  vanish(): void;
  /** How the connection ended for the client; `null` while it is open. The code is 1006 without a close frame. */
  readonly ended: { readonly code: number; readonly reason: string } | null;
}

/**
 * What a transport or its clients cannot do:
 *
 * - `close codes`: clients are told neither a code nor a reason
 * - `client pings`: clients send no pings
 * - `byte counters`: a message counts, but not its bytes
 * - `partial messages`: messages arrive whole, or nobody sees how much of one has come
 * - `unsent bytes`: what is not sent waits until the client asks for it
 */
export type Incapability = 'close codes' | 'client pings' | 'byte counters' | 'partial messages' | 'unsent bytes';

/** A connection that an adapter has accepted, and a client at its other end. */
export interface ConnectionFixture extends Disposable {
  /** What `ticket.open()` returned. Its `transport` is tested. */
  readonly connection: AttachedConnection;
  readonly peer: ContractPeer;
  /** The application sends one message with a payload of this size, as the adapter wants it. */
  readonly send: (bytes: number) => void;
  /** The application stops reading, as the adapter wants it. Leave it out if the adapter cannot. */
  readonly pause?: () => void;
  /** The application reads again. */
  readonly resume?: () => void;
  /** What `manager.socket()` must return. Leave it out if the adapter has no socket for the application. */
  readonly socket?: unknown;
  /** The setting of its Mooring, more than 32 MiB. Leave it out if it is 0. */
  readonly maxUnsentBytes?: number;
  /** What it cannot do: cases are skipped, or check less. @default nothing */
  readonly cannot?: readonly Incapability[];
}

/** Makes a connection that is open and has carried nothing yet. */
export type OpenConnection = () => ConnectionFixture | Promise<ConnectionFixture>;
