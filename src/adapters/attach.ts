import { isPending, type Admission } from '../core/admission/admission.js';
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
  readonly #unadmitted = new Set<object>();
  readonly #limit: number;

  constructor(options: EntryOptions<Request>) {
    this.#options = options;
    this.#limit = unadmittedLimit(options.mooring.config);
  }

  /**
   * Counts a socket that is not admitted: authenticating, waiting, or refused and closing.
   * @returns whether there was room; then {@link leave} must be called with the same object
   */
  arrive(socket: object): boolean {
    if (this.#unadmitted.size >= this.#limit) return false;
    this.#unadmitted.add(socket);
    return true;
  }

  /** The socket is admitted, or gone. */
  leave(socket: object): void {
    this.#unadmitted.delete(socket);
  }

  /** Authenticates and admits. @param decide called once, unless the entrant is cancelled before */
  begin(request: Request, decide: (admission: Admission) => void): Entrant {
    const entrant = new Entering(decide);
    const { authenticate } = this.#options;
    try {
      const answer = authenticate(request);
      if (isPromise(answer)) this.#await(answer, entrant);
      else this.#admit(answer, entrant);
    } catch (error) {
      this.#refuse(error, entrant);
    }
    return entrant;
  }

  #await(answer: PromiseLike<ContextFields | null | undefined>, entrant: Entering): void {
    const { mooring } = this.#options;
    const { authenticateTimeoutMs } = mooring.config;
    const deadline = mooring.clock.setTimer(() => {
      this.#refuse(new Error(`no answer within ${String(authenticateTimeoutMs)} ms`), entrant);
    }, authenticateTimeoutMs);
    answer.then(
      (fields) => {
        deadline.cancel();
        this.#admit(fields, entrant);
      },
      (error: unknown) => {
        deadline.cancel();
        this.#refuse(error, entrant);
      },
    );
  }

  #admit(fields: ContextFields | null | undefined, entrant: Entering): void {
    if (entrant.isOver) return;
    try {
      if (fields === null || fields === undefined) throw new AuthenticationError('missing');
      const outcome = this.#options.mooring.factory.admit(createUserExecutionContext(fields));
      if (isPending(outcome)) entrant.wait(outcome);
      else entrant.decide(outcome);
    } catch (error) {
      this.#refuse(error, entrant);
    }
  }

  #refuse(error: unknown, entrant: Entering): void {
    if (entrant.isOver) return;
    entrant.decide({ ticket: null, refusal: this.#refusalFor(error) });
  }

  #refusalFor(error: unknown): RefusalError {
    const { mooring } = this.#options;
    if (error instanceof MalformedContextError) return mooring.refusals.malformed(error);
    if (error instanceof AuthenticationError) return mooring.refusals.unauthenticated(error);
    mooring.events.emit('authentication.failed', { error: describe(error) });
    return mooring.refusals.authenticationFailed();
  }
}

class Entering implements Entrant {
  readonly #decide: (admission: Admission) => void;
  #cancelWait: (() => void) | null = null;
  isOver = false;

  constructor(decide: (admission: Admission) => void) {
    this.#decide = decide;
  }

  decide(admission: Admission): void {
    this.isOver = true;
    this.#decide(admission);
  }

  wait(pending: { readonly settled: Promise<Admission>; cancel(): void }): void {
    this.#cancelWait = () => {
      pending.cancel();
    };
    void pending.settled.then((admission) => {
      if (this.isOver) admission.ticket?.cancel();
      else this.decide(admission);
    });
  }

  cancel(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#cancelWait?.();
  }
}
