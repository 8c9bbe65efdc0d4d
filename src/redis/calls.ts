import { ExpiryQueue, type Expiry } from '../core/expiry-queue.js';
import type { Clock } from '../core/time.js';
import { RedisError, redisErrorOf } from './redis-errors.js';
import type { Reply } from './replies.js';
import type { ScriptCall, ScriptClient } from './script-client.js';

/**
 * How long a call may take, in milliseconds. No client's own limit can be relied on: some cover only what is not sent yet,
 * some never settle.
 */
export const callTimeoutMs = 250;

interface Pending {
  isOpen: boolean;
  expiry: Expiry<Pending> | null;
  readonly expired: () => void;
}

/** Calls of scripts that end in time, whatever Redis and its client do. */
export class Calls {
  readonly #client: ScriptClient;
  readonly #expiries: ExpiryQueue<Pending>;

  /** @param clock one that does not count the time in which this process stood still, while replies may have come */
  constructor(client: ScriptClient, clock: Clock) {
    this.#client = client;
    this.#expiries = new ExpiryQueue({
      clock,
      timeoutMs: callTimeoutMs,
      // The reply may have come, and not be read yet.
      onExpired: ({ expired }) => {
        clock.afterPoll(expired);
      },
    });
  }

  /** @throws RedisError: it failed, or took too long; it may have been done all the same */
  send(call: ScriptCall): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        if (!pending.isOpen) return;
        pending.isOpen = false;
        if (pending.expiry !== null) this.#expiries.delete(pending.expiry);
        act();
      };
      const pending: Pending = {
        isOpen: true,
        expiry: null,
        expired: () => settle(() => reject(this.#noAnswer())),
      };
      pending.expiry = this.#expiries.add(pending);
      this.#client
        .send(call, () => pending.isOpen)
        .then(
          (reply) => settle(() => resolve(reply)),
          (error: unknown) => settle(() => reject(redisErrorOf(error))),
        );
    });
  }

  /** Leaves no timer. Calls under way are forgotten. */
  stop(): void {
    this.#expiries.clear();
  }

  #noAnswer(): RedisError {
    const { trouble } = this.#client;
    return trouble === null ? new RedisError('noAnswer', '') : redisErrorOf(trouble);
  }
}
