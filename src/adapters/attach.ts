import { isPending, refused, type Admission, type PendingAdmission } from '../core/admission/admission.js';
import { unadmittedLimit } from '../core/config.js';
import { AuthenticationError, MalformedContextError, type RefusalError } from '../core/errors.js';
import { describe } from '../core/events.js';
import type { ContextFields } from '../core/identity/user-execution-context.js';
import { createUserExecutionContext } from '../core/identity/user-execution-context.js';
import type { Mooring } from '../core/mooring.js';
import { isPromise } from '../core/promises.js';

/**
 * Says who a request comes from. Throw {@link AuthenticationError}, or give nothing, to answer 4401; whatever else is
 * thrown is reported as `authentication.failed` and answered 1011.
 */
export type Authenticate<Request> = (
  request: Request,
) => ContextFields | null | undefined | Promise<ContextFields | null | undefined>;

/** What every adapter needs. */
export interface EntryOptions<Request> {
  readonly mooring: Mooring;
  readonly authenticate: Authenticate<Request>;
}

/** Somebody on the way in. */
export interface Entrant {
  /** The client is gone: authentication's answer will be ignored, a place or slot is given back. */
  cancel(): void;
}

/**
 * The steps every adapter shares: authenticate, within its time, then admit. Decided in the same call where nothing
 * has to be waited for.
 */
export class Entry<Request> {
  readonly #options: EntryOptions<Request>;
  /** Whoever is on the way in, by what says that it is no longer. */
  readonly #unadmitted = new Set<() => void>();
  readonly #limit: number;
  readonly #authenticating = new Set<Entering>();

  constructor(options: EntryOptions<Request>) {
    checkOptions(options);
    const { mooring } = options;
    this.#options = options;
    this.#limit = unadmittedLimit(mooring.config);
    mooring.on('server.draining', () => {
      for (const entrant of this.#authenticating) entrant.take(refused(mooring.refusals.draining()));
    });
  }

  /**
   * Counts a socket that is not admitted: authenticating, waiting, or refused and closing.
   * @returns what to call once it is admitted, or gone; `null` where there is no room
   */
  arrive(): (() => void) | null {
    if (this.#unadmitted.size >= this.#limit) return null;
    const leave = (): void => {
      this.#unadmitted.delete(leave);
    };
    this.#unadmitted.add(leave);
    return leave;
  }

  /**
   * Authenticates and admits.
   * @param decide called with the decision, once, unless the entrant is cancelled before; if it has to be waited for
   * after authentication, called with what is waited for first. What it throws is the application's, and goes where it
   * would without Mooring
   */
  begin(request: Request, decide: (outcome: Admission | PendingAdmission) => void): Entrant {
    const entrant = new Entering(decide);
    const answer = this.#ask(request);
    if (isPromise(answer)) this.#await(answer, entrant);
    else entrant.take(this.#outcomeFor(answer));
    return entrant;
  }

  #ask(request: Request): Answer | PromiseLike<Answer> {
    try {
      const fields = this.#options.authenticate(request);
      return isPromise(fields) ? fields.then(nobodyFailed, failed) : { fields };
    } catch (error) {
      return { error };
    }
  }

  #await(answer: PromiseLike<Answer>, entrant: Entering): void {
    const { mooring } = this.#options;
    const { authenticateTimeoutMs } = mooring.config;
    const deadline = mooring.clock.setTimer(() => {
      entrant.take(this.#outcomeFor({ error: new Error(`no answer within ${String(authenticateTimeoutMs)} ms`) }));
    }, authenticateTimeoutMs);
    this.#authenticating.add(entrant);
    entrant.whenOver = () => {
      this.#authenticating.delete(entrant);
      deadline.cancel();
    };
    afterwards(answer, (settled) => {
      if (!entrant.isOver) entrant.take(this.#outcomeFor(settled));
    });
  }

  /** Never throws. */
  #outcomeFor(answer: Answer): Admission | PendingAdmission {
    const { mooring } = this.#options;
    try {
      if ('error' in answer) throw answer.error;
      const { fields } = answer;
      if (fields === null || fields === undefined) throw new AuthenticationError('missing');
      return mooring.factory.admit(createUserExecutionContext(fields));
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

/**
 * Acts on what a promise gives, outside of any promise: an exception of the application's must reach the process as
 * the uncaught exception it is, not as a rejection of a promise of ours.
 */
export function afterwards<T>(promise: PromiseLike<T>, act: (value: T) => void): void {
  void promise.then((value) => {
    process.nextTick(act, value);
  });
}

class Entering implements Entrant {
  readonly #decide: (outcome: Admission | PendingAdmission) => void;
  #cancelWait: (() => void) | null = null;
  #isOver = false;
  /** Told once, when authentication is over. */
  whenOver: (() => void) | null = null;

  constructor(decide: (outcome: Admission | PendingAdmission) => void) {
    this.#decide = decide;
  }

  /** Whether nothing more is wanted of authentication. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Authentication has led to this. */
  take(outcome: Admission | PendingAdmission): void {
    this.#end();
    if (isPending(outcome)) this.#wait(outcome);
    else this.#decide(outcome);
  }

  cancel(): void {
    this.#end();
    this.#cancelWait?.();
  }

  #wait(pending: PendingAdmission): void {
    let isCancelled = false;
    this.#cancelWait = () => {
      isCancelled = true;
      pending.cancel();
    };
    afterwards(pending.settled, (admission) => {
      if (isCancelled) admission.ticket?.cancel();
      else this.#decide(admission);
    });
    this.#decide(pending);
  }

  #end(): void {
    this.#isOver = true;
    this.whenOver?.();
  }
}

function checkOptions({ mooring, authenticate }: Partial<EntryOptions<never>>): void {
  if (mooring?.factory === undefined) {
    throw new TypeError(`mooring: got ${describe(mooring)}, wanted what createMooring() gives`);
  }
  if (typeof authenticate !== 'function') {
    throw new TypeError(
      `authenticate: got ${describe(authenticate)}, wanted a function that says who a request is from`,
    );
  }
}
