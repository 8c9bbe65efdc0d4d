import { refused, type Admission, type PendingAdmission } from '../core/admission/outcome.js';
import { unadmittedLimit } from '../core/bounds.js';
import { AuthenticationError, MalformedContextError, describe, type RefusalError } from '../core/errors.js';
import type { ContextFields } from '../core/identity/user-execution-context.js';
import type { Mooring } from '../core/mooring.js';
import { attempted, ignoreRejection, isPromise, withResolver } from '../core/promises.js';
import { addressKey } from '../runtime/client-address.js';
import { Attempt, callOutside, tooBusy } from './attempt.js';
import type { Answer, AttemptListener, HttpRejection, SharedByAttempts } from './attempt.js';
import { AttemptLimiter, type AttemptRate } from './attempt-rate.js';
import { AbortableCall, type AuthenticationCall } from './authentication-call.js';
import { AllowedOrigins, type OriginRule } from './origins.js';
import { UnauthenticatedCap } from './unauthenticated-cap.js';
import { hasBody, type IncomingRequest } from './upgrade-request.js';

export { Attempt, type AttemptListener, type HttpRejection } from './attempt.js';
export type { AttemptRate } from './attempt-rate.js';
export { AbortableCall, type AuthenticationCall } from './authentication-call.js';
export type { OriginRule } from './origins.js';
export type { UnauthenticatedSocket } from './unauthenticated-cap.js';
export type { IncomingRequest } from './upgrade-request.js';

/** The user and the thread of a client; nothing if it is not authenticated. */
export type AuthenticateResult = ContextFields | null | undefined;

/**
 * Returns the user and the thread of a request. If it throws an {@link AuthenticationError}, or returns nothing, the
 * client is closed with 4401. Any other error is reported as `authentication.failed`, and the client is closed with
 * 1011. Once the signal of the call is aborted, the answer is ignored.
 */
export type Authenticate<Request> = (
  request: Request,
  call: AuthenticationCall,
) => AuthenticateResult | Promise<AuthenticateResult>;

/** What every adapter needs. */
export interface DoorwayOptions<Request> {
  readonly mooring: Mooring;
  readonly authenticate: Authenticate<Request>;
  /**
   * The client's address, by which unauthenticated sockets and attempts to connect are counted, so that no client takes
   * the places of all others. IPv6 addresses count by /64. Behind a proxy, return the address that the proxy gives.
   * @default the `keyOf` of `attemptRate`, else the remote address
   */
  readonly keyOf?: ((request: Request) => string) | undefined;
  /**
   * Which values of `Origin` may connect; requests with another one are answered 403. Requests without `Origin` are let
   * through, since they do not come from a page. A list contains origins such as `https://app.example`, which must be
   * equal to the header; upper case, default ports and a trailing slash do not matter. `null`, which every page can
   * send, can be allowed by a function only.
   * @default all
   */
  readonly allowedOrigins?: OriginRule | undefined;
  /** How often one client may try to connect; further attempts are answered 429. @default unlimited */
  readonly attemptRate?: AttemptRate<Request> | undefined;
}

/** Who a client is, or why that is not known. */
export type Identity =
  | { readonly fields: ContextFields; readonly refusal: null }
  | { readonly fields: null; readonly refusal: RefusalError };

/** @internal */
export const badRequest: HttpRejection = Object.freeze({ status: 400, reason: 'Bad Request' });
const forbidden: HttpRejection = Object.freeze({ status: 403, reason: 'Forbidden' });
/**
 * The steps before admission, for all adapters. An adapter calls {@link arrive} with each upgrade request, and
 * {@link authenticateAndAdmit} with the attempt that it returns. The steps are, in this order:
 *
 * 1. reject a request with a body (400)
 * 2. reject a page whose origin is not allowed (403)
 * 3. number the attempt in the order of arrival, and count its socket as unauthenticated; reject it if there are too
 *    many (503)
 * 4. reject a client that tries too often (429)
 * 5. refuse the client if the server drains
 * 6. call `authenticate`, and wait at most `authenticateTimeoutMs` for its answer
 * 7. call `mooring.decide` with the answer, or refuse the client
 *
 * Steps 1 to 4 end with an HTTP status, which costs least. From step 5 on the adapter accepts the handshake and sends a
 * refusal as a close frame, since a page cannot read an HTTP status. Steps that do not have to wait are done within the
 * call.
 */
export class Doorway<Request> {
  readonly #mooring: Mooring;
  readonly #options: DoorwayOptions<Request>;
  readonly #origins: AllowedOrigins;
  readonly #rate: AttemptLimiter<Request> | null;
  readonly #shared: SharedByAttempts<Request>;
  /** Attempts whose authentication has not ended, also those whose client has gone. */
  readonly #authenticating = new Set<Attempt<Request>>();

  /** @throws TypeError if an option is not valid */
  constructor(options: DoorwayOptions<Request>) {
    checkOptions(options);
    const { mooring, allowedOrigins, attemptRate, keyOf } = options;
    this.#mooring = mooring;
    this.#options = options;
    const isAddressGiven = keyOf !== undefined;
    this.#rate = attemptRate === undefined ? null : new AttemptLimiter(attemptRate, { mooring, isAddressGiven });
    this.#origins = new AllowedOrigins(allowedOrigins, (error) => {
      this.#reportFailure(error);
    });
    this.#shared = {
      arrivals: mooring.arrivals,
      cap: new UnauthenticatedCap(unadmittedLimit(mooring.config)),
      addressOf: (attempt) => this.#addressOf(attempt),
    };
    mooring.on('server.draining', () => {
      for (const { authentication } of [...this.#authenticating]) {
        authentication?.end(null);
        authentication?.call.abort('AbortError', 'The server is stopping');
      }
    });
  }

  /**
   * Steps 1 to 4.
   * @param request what `authenticate` and `keyOf` get
   * @param incoming the same request as Node has it
   */
  arrive(request: Request, incoming: IncomingRequest): Attempt<Request> | HttpRejection {
    const { headers } = incoming;
    if (hasBody(headers)) return badRequest;
    if (!this.#origins.allow(headers.origin)) return forbidden;
    const attempt = new Attempt(request, incoming, this.#shared);
    if (!this.#shared.cap.add(attempt)) {
      this.#shared.arrivals.decided(attempt.arrival);
      return tooBusy;
    }
    const retryAfterMs = this.#rate?.check(attempt) ?? null;
    if (retryAfterMs === null) return attempt;
    attempt.leave();
    return { status: 429, reason: 'Too Many Requests', retryAfterMs };
  }

  /**
   * Steps 5 to 7. They end with `attempt.settle`, which passes the answer to the listener: `onDecided()`, or `onWaiting()`
   * and later `onDecided()`. Unless `attempt.isAuthenticating` afterwards, the listener was called already.
   */
  authenticateAndAdmit(attempt: Attempt<Request>, listener: AttemptListener): void {
    attempt.listener = listener;
    if (this.#refuseIfDraining(attempt)) return;
    const call = new AbortableCall();
    const answer = this.#authenticate(attempt.request, call);
    if (isPromise(answer)) this.#awaitAnswer(answer, attempt, call);
    else attempt.settle(this.#admit(answer, attempt));
  }

  /** Steps 5 and 7, for a client that the application has authenticated already. The listener is called at once. */
  admit(attempt: Attempt<Request>, fields: AuthenticateResult, listener: AttemptListener): void {
    attempt.listener = listener;
    if (!this.#refuseIfDraining(attempt)) attempt.settle(this.#admit({ fields }, attempt));
  }

  /**
   * Asks who a client is that has joined already, for protocols in which one connection says so again. Waits at most
   * `authenticateTimeoutMs`. Never rejects.
   */
  identify(whoIs: () => AuthenticateResult | Promise<AuthenticateResult>, call: AbortableCall): Promise<Identity> {
    const { clock, config } = this.#mooring;
    const { promise, resolve } = withResolver<Answer>();
    const deadline = clock.setTimer(() => {
      const message = `no answer within ${String(config.authenticateTimeoutMs)} ms`;
      resolve({ error: new Error(message) });
      call.abort('TimeoutError', message);
    }, config.authenticateTimeoutMs);
    void attempted(whoIs).then(
      (fields) => resolve({ fields }),
      (error: unknown) => resolve({ error }),
    );
    return promise.then((answer) => {
      deadline.cancel();
      return this.#identityOf(answer);
    });
  }

  #identityOf(answer: Answer): Identity {
    const fields = 'error' in answer ? null : answer.fields;
    if (fields !== null && fields !== undefined) return { fields, refusal: null };
    const error = 'error' in answer ? answer.error : new AuthenticationError('missing');
    return { fields: null, refusal: this.#refusalFor(error) };
  }

  #refuseIfDraining(attempt: Attempt<Request>): boolean {
    const { isDraining, refusals } = this.#mooring;
    if (isDraining) attempt.settle(refused(refusals.draining()));
    return isDraining;
  }

  #authenticate(request: Request, call: AuthenticationCall): Answer | PromiseLike<Answer> {
    try {
      const fields = this.#options.authenticate(request, call);
      return isPromise(fields) ? fields.then(answered, failed) : { fields };
    } catch (error) {
      return { error };
    }
  }

  /** Waits for the answer, until the deadline or until the server drains. */
  #awaitAnswer(answer: PromiseLike<Answer>, attempt: Attempt<Request>, call: AbortableCall): void {
    const { clock, config, refusals } = this.#mooring;
    const { authenticateTimeoutMs } = config;
    // Bound, since a deadline or a drain may call it: what follows must run in the async context of the request.
    const end = clock.contexts.bound((settled: Answer | null): void => {
      if (!this.#authenticating.delete(attempt)) return;
      deadline.cancel();
      attempt.authenticationEnded();
      if (!attempt.isAuthenticating) return;
      attempt.settle(settled === null ? refused(refusals.draining()) : this.#admit(settled, attempt));
    });
    const deadline = clock.setTimer(() => {
      const message = `no answer within ${String(authenticateTimeoutMs)} ms`;
      end({ error: attempt.isClientAwaited ? new AuthenticationError('missing') : new Error(message) });
      call.abort('TimeoutError', message);
    }, authenticateTimeoutMs);
    attempt.authentication = { call, end };
    this.#authenticating.add(attempt);
    callOutside(answer, end);
  }

  /** Never throws. */
  #admit(answer: Answer, attempt: Attempt<Request>): Admission | PendingAdmission {
    try {
      if ('error' in answer) throw answer.error;
      const { fields } = answer;
      if (fields === null || fields === undefined) throw new AuthenticationError('missing');
      if (typeof fields.userId === 'string') attempt.userId = fields.userId;
      return this.#mooring.decide(fields, { arrival: attempt.arrival });
    } catch (error) {
      return refused(this.#refusalFor(error));
    }
  }

  #refusalFor(error: unknown): RefusalError {
    const { refusals } = this.#mooring;
    if (error instanceof MalformedContextError) return refusals.malformed(error);
    if (error instanceof AuthenticationError) return refusals.unauthenticated(error);
    this.#reportFailure(error);
    return refusals.authenticationFailed();
  }

  #addressOf({ request, incoming }: Attempt<Request>): string {
    const options = this.#options.keyOf === undefined ? this.#options.attemptRate : this.#options;
    try {
      const key: unknown = options?.keyOf?.(request);
      ignoreRejection(key);
      if (typeof key === 'string') return addressKey(key);
      if (options?.keyOf !== undefined) throw new TypeError(`keyOf returned ${describe(key)}, wanted a string`);
    } catch (error) {
      this.#reportFailure(error);
    }
    return addressKey(incoming.socket?.remoteAddress);
  }

  #reportFailure(error: unknown): void {
    this.#mooring.events.emit('authentication.failed', { error: describe(error) });
  }
}

const answered = (fields: AuthenticateResult): Answer => ({ fields });
const failed = (error: unknown): Answer => ({ error });

function checkOptions({ mooring, authenticate, keyOf }: Partial<DoorwayOptions<never>>): void {
  if (mooring?.events === undefined) {
    throw new TypeError(`mooring: got ${describe(mooring)}, wanted a Mooring, made by createMooring()`);
  }
  if (typeof authenticate !== 'function') {
    throw new TypeError(
      `authenticate: got ${describe(authenticate)}, wanted a function that returns the user of a request`,
    );
  }
  if (keyOf !== undefined && typeof keyOf !== 'function') {
    throw new TypeError(`keyOf: got ${describe(keyOf)}, wanted a function that returns the client's address`);
  }
}
