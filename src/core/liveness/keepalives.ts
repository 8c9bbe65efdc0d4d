import type { EventStream } from '../events.js';
import { isPromise } from '../promises.js';
import { isKeepalive, type Message } from './keepalive.js';
import { describe } from '../errors.js';

/**
 * An application's own word on what is a keepalive: it must give `true` or `false` at once. It is asked about messages of
 * at most 1,024 bytes that the presets do not match, incoming and outgoing.
 *
 * @param message text as a string, whichever way it goes; binary messages as bytes
 */
export type IsKeepalive = (message: string | Uint8Array) => boolean;

/** The longest message that an application is asked about, in bytes or UTF-16 units. */
export const longestAsked = 1_024;

/**
 * For how long after an activity the next message changes no age by so much that it would be worth a look, in
 * milliseconds.
 */
export const unlookedMs = 250;

interface KeepalivesParts {
  readonly events: EventStream;
  /** Whether the presets for widely used protocols apply. */
  readonly recogniseKeepalives: boolean;
  readonly isKeepalive: IsKeepalive | undefined;
}

/** Tells keepalives from activity: by the presets, unless they are switched off, and by what the application adds. */
export class Keepalives {
  readonly #parts: KeepalivesParts;
  #hasTold = false;

  constructor(parts: KeepalivesParts) {
    this.#parts = parts;
  }

  /**
   * The same presets with another function of the application's beside them.
   * @param isKeepalive `undefined` leaves all as it is
   * @throws TypeError if it is no function
   */
  with(isKeepalive: IsKeepalive | undefined): Keepalives {
    if (isKeepalive === undefined) return this;
    checkIsKeepalive(isKeepalive);
    return new Keepalives({ ...this.#parts, isKeepalive });
  }

  /**
   * Whether a message only keeps its connection open, and is no activity. Never throws: a function of the application
   * that throws or gives no boolean makes it activity, which is told once, as `keepalive.failed`.
   * @param isText whether bytes are text in UTF-8; the application's function then gets a string @default false
   */
  matches(message: Message, isText = false): boolean {
    const { recogniseKeepalives, isKeepalive: own } = this.#parts;
    if (recogniseKeepalives && isKeepalive(message)) return true;
    return own !== undefined && message.length <= longestAsked && this.#ask(own, isText ? decoded(message) : message);
  }

  #ask(own: IsKeepalive, message: Message): boolean {
    try {
      const answer: unknown = own(message);
      if (typeof answer === 'boolean') return answer;
      if (isPromise(answer)) answer.then(undefined, () => undefined);
      this.#tell(`isKeepalive gave ${describe(answer)}, wanted true or false at once`);
    } catch (error) {
      this.#tell(describe(error));
    }
    return false;
  }

  #tell(error: string): void {
    if (this.#hasTold) return;
    this.#hasTold = true;
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
