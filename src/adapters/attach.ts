import { refused, type Admission, type PendingAdmission } from '../core/admission/outcome.js';
import { unadmittedLimit } from '../core/bounds.js';
import { AuthenticationError, MalformedContextError, describe, type RefusalError } from '../core/errors.js';
import type { ContextFields } from '../core/identity/user-execution-context.js';
import type { Mooring } from '../core/mooring.js';
import { isPromise } from '../core/promises.js';
import { afterwards } from './afterwards.js';
import { Attempt, type AttemptListener, type RunningAuthentication } from './attempt.js';
import { AbortableCall, type AuthenticationCall } from './authentication-call.js';
import { addressKey } from '../runtime/client-address.js';
import { UnauthenticatedCap } from './unauthenticated.js';

export { afterwards } from './afterwards.js';
export type { Attempt } from './attempt.js';
export type { AuthenticationCall } from './authentication-call.js';

/**
 * Says who a request comes from. Throw {@link AuthenticationError}, or give nothing, to answer 4401; whatever else is
 * thrown is reported as `authentication.failed` and answered 1011. Once the call's signal is aborted nobody waits for
 * the answer.
 */
export type Authenticate<Request> = (
  request: Request,
  call: AuthenticationCall,
) => ContextFields | null | undefined | Promise<ContextFields | null | undefined>;

/** What every adapter needs. */
export interface EntryOptions<Request> {
  readonly mooring: Mooring;
  readonly authenticate: Authenticate<Request>;
  /**
   * Whose sockets count together while they are not authenticated, so that nobody uses up the cap of those for all
   * others. IPv6 addresses count by /64. @default the remote address; behind a proxy, say where the client's is
   */
  readonly keyOf?: ((request: Request) => string) | undefined;
}

/** An authentication that is waited for, and what ends the wait. */
interface Wait extends RunningAuthentication {
  /** The server drains. */
  drain(): void;
}

/**
 * The steps every adapter shares: count who arrives, authenticate within the time for that, then admit. Decided in the
 * same call where nothing has to be waited for.
 */
export class Entry<Request> {
  readonly #options: EntryOptions<Request>;
  readonly #remoteAddress: (request: Request) => string | undefined;
  readonly #cap: UnauthenticatedCap;
  /** Authentications that go on, those of clients that have gone included. */
  readonly #running = new Set<Wait>();

  /** @param remoteAddress where a request comes from, unless `keyOf` says it */
  constructor(options: EntryOptions<Request>, remoteAddress: (request: Request) => string | undefined) {
    checkOptions(options);
    const { mooring } = options;
    this.#options = options;
    this.#remoteAddress = remoteAddress;
    this.#cap = new UnauthenticatedCap(unadmittedLimit(mooring.config));
    mooring.on('server.draining', () => {
      for (const wait of [...this.#running]) wait.drain();
    });
  }

  /**
   * Counts a socket whose upgrade request has just arrived as unauthenticated, and notes the order.
   * @param displaced its room is needed for others: answer it 503
   * @returns what to {@link begin} with, and to tell when the client has gone; `null` where there is no room
   */
  arrive(request: Request, displaced: () => void): Attempt | null {
    const { arrivals } = this.#options.mooring;
    const addressOf = (): string => this.#addressOf(request);
    const attempt = new Attempt({ arrivals, cap: this.#cap, addressOf, displaced });
    if (this.#cap.enter(attempt)) return attempt;
    arrivals.decided(attempt.arrival);
    return null;
  }

  /** Authenticates and admits. */
  begin(attempt: Attempt, request: Request, listener: AttemptListener): void {
    attempt.listener = listener;
    const { mooring } = this.#options;
    if (mooring.isDraining) {
      attempt.take(refused(mooring.refusals.draining()));
      return;
    }
    const call = new AbortableCall();
    const answer = this.#ask(request, call);
    if (isPromise(answer)) this.#await(answer, attempt, call);
    else attempt.take(this.#outcomeFor(answer, attempt));
  }

  #addressOf(request: Request): string {
    const { keyOf, mooring } = this.#options;
    try {
      const key: unknown = keyOf?.(request);
      if (typeof key === 'string') return addressKey(key);
      if (keyOf !== undefined) throw new TypeError(`keyOf gave ${describe(key)}, wanted a text at once`);
    } catch (error) {
      mooring.events.emit('authentication.failed', { error: describe(error) });
    }
    return addressKey(this.#remoteAddress(request));
  }

  #ask(request: Request, call: AuthenticationCall): Answer | PromiseLike<Answer> {
    try {
      const fields = this.#options.authenticate(request, call);
      return isPromise(fields) ? fields.then(nobodyFailed, failed) : { fields };
    } catch (error) {
      return { error };
    }
  }

  #await(answer: PromiseLike<Answer>, attempt: Attempt, call: AbortableCall): void {
    const { mooring } = this.#options;
    const { authenticateTimeoutMs } = mooring.config;
    // A deadline, or the end of this server, may decide: in the async context of this request all the same.
    if (attempt.listener !== null) {
      attempt.listener = { ...attempt.listener, decided: mooring.clock.contexts.bound(attempt.listener.decided) };
    }
    const end = (outcome: () => Admission | PendingAdmission): void => {
      if (!this.#running.delete(wait)) return;
      deadline.cancel();
      attempt.authenticated();
      if (!attempt.isOver) attempt.take(outcome());
    };
    const deadline = mooring.clock.setTimer(() => {
      const said = `no answer within ${String(authenticateTimeoutMs)} ms`;
      end(() => this.#outcomeFor({ error: new Error(said) }, attempt));
      call.abort('TimeoutError', said);
    }, authenticateTimeoutMs);
    const wait: Wait = {
      abandon: () => {
        call.abort('AbortError', 'The client has gone');
      },
      drain: () => {
        end(() => refused(mooring.refusals.draining()));
        call.abort('AbortError', 'The server is stopping');
      },
    };
    attempt.authentication = wait;
    this.#running.add(wait);
    afterwards(answer, (settled) => {
      end(() => this.#outcomeFor(settled, attempt));
    });
  }

  /** Never throws. */
  #outcomeFor(answer: Answer, attempt: Attempt): Admission | PendingAdmission {
    const { mooring } = this.#options;
    try {
      if ('error' in answer) throw answer.error;
      const { fields } = answer;
      if (fields === null || fields === undefined) throw new AuthenticationError('missing');
      if (typeof fields.userId === 'string') attempt.userId = fields.userId;
      return mooring.admit(fields, { arrival: attempt.arrival });
    } catch (error) {
      return refused(this.#refusalFor(error));
    }
  }

  #refusalFor(error: unknown): RefusalError {
    const { mooring } = this.#options;
    if (error instanceof MalformedContextError) return mooring.refusals.malformed(error);
    if (error instanceof AuthenticationError) return mooring.refusals.unauthenticated(error);
    mooring.events.emit('authentication.failed', { error: describe(error) });
    return mooring.refusals.authenticationFailed();
  }
}

/** What `authenticate` said, or how it failed. */
type Answer = { readonly fields: ContextFields | null | undefined } | { readonly error: unknown };

const nobodyFailed = (fields: ContextFields | null | undefined): Answer => ({ fields });
const failed = (error: unknown): Answer => ({ error });

function checkOptions({ mooring, authenticate, keyOf }: Partial<EntryOptions<never>>): void {
  if (mooring?.events === undefined) {
    throw new TypeError(`mooring: got ${describe(mooring)}, wanted what createMooring() gives`);
  }
  if (typeof authenticate !== 'function') {
    throw new TypeError(
      `authenticate: got ${describe(authenticate)}, wanted a function that says who a request is from`,
    );
  }
  if (keyOf !== undefined && typeof keyOf !== 'function') {
    throw new TypeError(`keyOf: got ${describe(keyOf)}, wanted a function that says whose sockets count together`);
  }
}
