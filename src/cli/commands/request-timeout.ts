/**
 * Aborts a request if it takes too long.
 *
 * Why not `AbortSignal.timeout`: its timer keeps no process alive, and a `fetch` whose connection is closed as soon as
 * it is made may never settle (Node 20); the process would end silently.
 */
export class RequestTimeout {
  readonly #controller = new AbortController();
  readonly signal: AbortSignal = this.#controller.signal;
  #timer: NodeJS.Timeout | undefined;

  /** Aborts in so many milliseconds, counted anew with each call. */
  start(ms: number): void {
    this.stop();
    this.#timer = setTimeout(() => this.#controller.abort(new Error(`no answer within ${String(ms / 1_000)} s`)), ms);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Aborts now. */
  abort(): void {
    this.#controller.abort();
  }
}
