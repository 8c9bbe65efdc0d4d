import type { IncomingMessage, ServerResponse } from 'node:http';
import { EarlyReader } from '../early-reader.js';
import type { AllowRequest } from './engine.js';

const nothing = Buffer.alloc(0);

/**
 * The request that begins a session, while Engine.IO waits to know whether it is allowed. An upgrade is read meanwhile,
 * since nobody else reads it or listens to its errors: its end would not be noticed, and a reset would end the process.
 */
export class FirstRequest {
  readonly #callback: Parameters<AllowRequest>[1];
  readonly #reader: EarlyReader | null;
  readonly #request: IncomingMessage;
  readonly #onGone: () => void;
  #isOver = false;

  /** @param onGone called if the client goes, also once the request is answered */
  constructor(request: IncomingMessage, callback: Parameters<AllowRequest>[1], onGone: () => void) {
    this.#onGone = onGone;
    this.#request = request;
    this.#callback = callback;
    // Not of a kept-alive socket, which has many requests.
    const response = (request as IncomingMessage & { readonly res?: ServerResponse | null }).res ?? null;
    (response ?? request.socket).once('close', this.#ended);
    this.#reader = response === null ? new EarlyReader(request.socket, nothing, this.#ended) : null;
    if (request.socket.destroyed) this.#ended();
  }

  /** Whether it is answered, or its client has gone. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Answers it, unless it is over. */
  answer(error: string | null | undefined, isAllowed: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const early = this.#reader?.stop() ?? nothing;
    if (early.length > 0) this.#request.socket.unshift(early);
    this.#callback(error, isAllowed);
  }

  readonly #ended = (): void => {
    this.#isOver = true;
    this.#onGone();
  };
}
