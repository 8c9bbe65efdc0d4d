import type { IncomingMessage } from 'node:http';
import type { IsKeepalive } from '../core/liveness/keepalives.js';
import type { AuthenticationCall } from './authentication-call.js';
import type { Authenticate, AuthenticateResult, DoorwayOptions } from './doorway.js';
import type { DecisionBefore } from './early-decision.js';

/** What `attach` needs. */
export interface AttachOptions extends Omit<DoorwayOptions<IncomingMessage>, 'authenticate'> {
  /**
   * Who the client is: a function of the request, or when the application says so. `'before'`: with
   * {@link Attachment.admitBefore}, before the server gets the request; a client without it is closed with 4401, and the
   * event `socket.unmanaged` says so. `'later'`: with `admit`, once its first message has come.
   */
  readonly authenticate: Authenticate<IncomingMessage> | 'before' | 'later';
  /**
   * Which messages of this server are keepalives, in addition to the presets; see {@link IsKeepalive}.
   * @default the function that `createMooring` was given, if any
   */
  readonly isKeepalive?: IsKeepalive;
}

/** What `attach` returns. Called as a function, it detaches. */
export interface Attachment {
  (): void;
  /**
   * Decides about a client before the server gets its upgrade request, for frameworks that have authenticated it in a
   * middleware. `handleUpgrade` then does what was decided within its call. `authenticate` is not called.
   * @throws TypeError if it was called for this request before
   */
  admitBefore(request: IncomingMessage, fields: AuthenticateResult): DecisionBefore;
  /**
   * The same with a function that says who the client is, with all steps of `attach` around it: until it has answered, the
   * client counts as unauthenticated, and has `authenticateTimeoutMs`. Never rejects, whatever the function throws.
   */
  admitBefore(
    request: IncomingMessage,
    whoIs: (call: AuthenticationCall) => AuthenticateResult | Promise<AuthenticateResult>,
  ): Promise<DecisionBefore>;
  /** The socket of this request is not managed, and counts for nothing: for a server with `authenticate: 'before'`. */
  letThrough(request: IncomingMessage): void;
}
