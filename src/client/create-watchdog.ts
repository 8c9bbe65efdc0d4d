import { onReturn } from './on-return.js';
import { isEnding, isOpen, type SocketLike } from './socket-like.js';
import { checkedWatchdogOptions, type WatchdogOptions } from './watchdog-options.js';

/** The time for an answer passes in this many steps. Why: a step that ends late shows that the page was held up. */
const steps = 2;

/** A timer that fires later than this was held up: the page slept, or the browser slows it down in the background. */
const lateMs = 2_000;

/** How many times in a row the server gets the whole time anew because the page was held up. */
const maxFreshChances = 3;

/**
 * Finds out that a connection broke silently, which a page cannot see by itself: pings are answered by the browser. When no
 * message has arrived for a while, it sends one of yours. If nothing arrives after that, it closes the socket and calls
 * `onLost` at once. Any message counts as an answer.
 *
 * A socket that is not open after `intervalMs` and `answerWithinMs` together counts as lost, too. The watchdog ends when the
 * socket closes. When the page becomes visible again or the network comes
 * back, it asks at once. Time in which the page or the computer slept is not held against the connection, nor is a slow
 * upload, as long as `bufferedAmount` falls. Of what `send` throws nothing is told: then no answer comes.
 *
 * @example
 * createWatchdog(socket, { message: '{"type":"ping"}', onLost: () => showOffline() });
 *
 * @returns ends it; the socket stays as it is
 * @throws TypeError if an option is not valid, above all without a `message`
 */
export function createWatchdog(socket: SocketLike, options: WatchdogOptions): () => void {
  return new Watchdog(socket, options).end;
}

class Watchdog {
  readonly #socket: SocketLike;
  readonly #options: ReturnType<typeof checkedWatchdogOptions>;
  readonly #ignoreReturn: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heardAtMs = Date.now();
  #isAwaiting = false;
  #freshChances = maxFreshChances;

  constructor(socket: SocketLike, options: WatchdogOptions) {
    this.#socket = socket;
    this.#options = checkedWatchdogOptions(options);
    socket.addEventListener('open', this.#heard);
    socket.addEventListener('message', this.#heard);
    socket.addEventListener('close', this.end);
    this.#ignoreReturn = onReturn(this.#returned);
    if (isOpen(socket)) this.#rest();
    else if (isEnding(socket)) this.end();
    else this.#expect(this.#options.intervalMs + this.#options.answerWithinMs);
  }

  readonly end = (): void => {
    clearTimeout(this.#timer);
    this.#ignoreReturn();
    this.#socket.removeEventListener('open', this.#heard);
    this.#socket.removeEventListener('message', this.#heard);
    this.#socket.removeEventListener('close', this.end);
  };

  /** No timer is touched for a message, unless it is an answer: there may be many. */
  readonly #heard = (): void => {
    this.#heardAtMs = Date.now();
    this.#freshChances = maxFreshChances;
    if (this.#isAwaiting) this.#rest();
  };

  readonly #returned = (): void => {
    if (!isOpen(this.#socket)) return;
    if (!this.#isAwaiting) this.#ask();
    else if (this.#takeFreshChance()) this.#expect(this.#options.answerWithinMs);
  };

  #rest(): void {
    this.#isAwaiting = false;
    const { intervalMs } = this.#options;
    const heardAtMs = this.#heardAtMs;
    // Both ends: the clock may be set.
    const restMs = Math.min(Math.max(heardAtMs + intervalMs - Date.now(), 0), intervalMs);
    this.#setTimer(restMs, () => {
      if (heardAtMs === this.#heardAtMs) this.#ask();
      else this.#rest();
    });
  }

  #ask(): void {
    try {
      this.#socket.send(this.#options.message);
    } catch {
      // The time for the answer runs: what arrives meanwhile shows that the connection works.
    }
    this.#expect(this.#options.answerWithinMs);
  }

  /** Something has to arrive within this time. */
  #expect(withinMs: number, stepsLeft = steps): void {
    this.#isAwaiting = true;
    const { bufferedAmount } = this.#socket;
    const stepMs = withinMs / steps;
    const dueAtMs = Date.now() + stepMs;
    this.#setTimer(stepMs, () => {
      const isUploading = this.#socket.bufferedAmount < bufferedAmount;
      const isLate = Date.now() - dueAtMs > lateMs;
      if (isUploading || (isLate && this.#takeFreshChance())) this.#expect(withinMs);
      else if (stepsLeft > 1) this.#expect(withinMs, stepsLeft - 1);
      else this.#giveUp();
    });
  }

  #takeFreshChance(): boolean {
    if (this.#freshChances === 0) return false;
    this.#freshChances -= 1;
    return true;
  }

  #giveUp(): void {
    this.end();
    try {
      if (this.#socket.terminate === undefined) this.#socket.close();
      else this.#socket.terminate();
    } finally {
      this.#options.onLost?.({ code: 1006, reason: '' });
    }
  }

  /** While the application closes the socket, there is nothing to ask. */
  #setTimer(delayMs: number, then: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (!isEnding(this.#socket)) then();
    }, delayMs);
  }
}
