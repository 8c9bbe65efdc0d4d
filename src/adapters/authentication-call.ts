/** What `authenticate` gets beside the request. */
export interface AuthenticationCall {
  /**
   * Aborted when nobody waits for the answer any longer: the client has gone, `authenticateTimeoutMs` are over, or the
   * server drains. Pass it on to what takes long. Its reason is an `AbortError` or a `TimeoutError`.
   */
  readonly signal: AbortSignal;
}

/** A call whose signal is made only for those who ask for it, since few do. */
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

  /** Aborts it, once. */
  abort(name: 'AbortError' | 'TimeoutError', message: string): void {
    if (this.#reason !== null) return;
    this.#reason = new DOMException(message, name);
    this.#controller?.abort(this.#reason);
  }
}
