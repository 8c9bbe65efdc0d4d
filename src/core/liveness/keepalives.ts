import { describe } from '../errors.js';
import type { EventStream } from '../events.js';
import { isPromise } from '../promises.js';
import { isKeepalive, type Message } from './keepalive.js';
import { isKeepaliveObject } from './keepalive-presets.js';

/**
 * An application's own function that tells whether a message is a keepalive. It must return `true` or `false` at once. It
 * is called with messages of at most 1,024 bytes that the presets do not match, incoming and outgoing.
 *
 * @param message text as a string, binary messages as bytes
 */
export type IsKeepalive = (message: string | Uint8Array) => boolean;

/** The longest message that the function of an application gets, in bytes or UTF-16 units. */
export const longestAsked = 1_024;

/** Within this many milliseconds after an activity, adapters need not report the next message: no age changes much. */
export const unreportedMs = 250;

interface KeepalivesParts {
  readonly events: EventStream;
  /** Whether the presets for widely used protocols apply. */
  readonly recogniseKeepalives: boolean;
  readonly isKeepalive: IsKeepalive | undefined;
}

/** Tells keepalives from activity, by the presets, unless they are switched off, and by the application's function. */
export class Keepalives {
  readonly #parts: KeepalivesParts;
  #isReported = false;

  constructor(parts: KeepalivesParts) {
    this.#parts = parts;
  }

  /**
   * The same presets with another function of the application.
   * @param isKeepalive `undefined`: returns this object
   * @throws TypeError if it is no function
   */
  with(isKeepalive: IsKeepalive | undefined): Keepalives {
    if (isKeepalive === undefined) return this;
    checkIsKeepalive(isKeepalive);
    return new Keepalives({ ...this.#parts, isKeepalive });
  }

  /**
   * Whether a message only keeps its connection open, and is no activity. Never throws: if the application's function
   * throws or returns no boolean, the message is activity, and that is reported once, as `keepalive.failed`.
   * @param isText whether bytes are text in UTF-8: then the application's function gets a string @default false
   */
  matches(message: Message, isText = false): boolean {
    const { recogniseKeepalives, isKeepalive: own } = this.#parts;
    if (recogniseKeepalives && isKeepalive(message)) return true;
    if (own === undefined || message.length > longestAsked) return false;
    return this.ask(() => own(isText ? decoded(message) : message));
  }

  /** As {@link matches}, by the presets alone, for a message that an adapter has parsed. */
  matchesFields(fields: Readonly<Record<string, unknown>>): boolean {
    return this.#parts.recogniseKeepalives && isKeepaliveObject(fields);
  }

  /** Calls a function of the application that tells whether a message is a keepalive. Never throws, as {@link matches}. */
  ask(isKeepalive: () => unknown): boolean {
    try {
      const answer = isKeepalive();
      if (typeof answer === 'boolean') return answer;
      if (isPromise(answer)) answer.then(undefined, () => undefined);
      this.#report(`isKeepalive gave ${describe(answer)}, wanted true or false at once`);
    } catch (error) {
      this.#report(describe(error));
    }
    return false;
  }

  #report(error: string): void {
    if (this.#isReported) return;
    this.#isReported = true;
    this.#parts.events.emit('keepalive.failed', { error });
  }
}

/** @throws TypeError if it is neither a function nor left out */
export function checkIsKeepalive(isKeepalive: unknown): void {
  if (isKeepalive === undefined || typeof isKeepalive === 'function') return;
  throw new TypeError(
    `isKeepalive: got ${describe(isKeepalive)}, wanted a function of a message that gives true or false`,
  );
}

function decoded(message: Message): string {
  return typeof message === 'string' ? message : new TextDecoder().decode(message);
}
