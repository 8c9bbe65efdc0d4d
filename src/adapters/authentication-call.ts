/** The second argument of `authenticate`. */
export interface AuthenticationCall {
  /**
   * Aborted when the answer is no longer needed: the client has gone, `authenticateTimeoutMs` have passed, or the server
   * drains. Pass it on to whatever takes long. Its reason is an `AbortError` or a `TimeoutError`.
   */
  readonly signal: AbortSignal;
}

/** Makes its signal on first use only, since few applications use it. */
export class AbortableCall implements AuthenticationCall {
  #controller: AbortController | null = null;
  #reason: DOMException | null = null;

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#reason !== null) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Aborts the signal. Later calls do nothing. */
  abort(name: 'AbortError' | 'TimeoutError', message: string): void {
    if (this.#reason !== null) return;
    this.#reason = new DOMException(message, name);
    this.#controller?.abort(this.#reason);
  }
}
