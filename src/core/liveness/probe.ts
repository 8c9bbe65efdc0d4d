import type { Clock, Timer } from '../time.js';
import type { ManagedConnection, Watcher } from '../managers/managed-connection.js';
import type { Pinger } from './ping.js';
import { hasUnsent, judgeSilence, sample, stateOf } from './silence.js';

/** What a probe found. Connections in neither answered, or cannot be judged now. */
export interface ProbeFindings {
  /** Not a byte through two pings. */
  readonly silent: ReadonlySet<ManagedConnection>;
  /** Data has been stuck on the way for `slowConsumerTimeoutMs`. */
  readonly stuck: ReadonlySet<ManagedConnection>;
}

/** Before anybody was asked. */
export const noFindings: ProbeFindings = Object.freeze({ silent: new Set<never>(), stuck: new Set<never>() });

/** What a probe needs. */
export interface ProbeParts {
  readonly clock: Clock;
  readonly pinger: Pinger;
  readonly slowConsumerTimeoutMs: number;
}

/** What to ask, and whom to tell. */
export interface ProbeRequest {
  readonly links: readonly ManagedConnection[];
  /** The second ping leaves so long after the first. */
  readonly spacingMs: number;
  /** How long an answer to the second ping is waited for. */
  readonly windowMs: number;
  /** Called when the second pings leave, unless everything was known before. */
  readonly onHalf?: () => void;
  readonly onDone: (findings: ProbeFindings) => void;
}

/**
 * Asks connections whether their peers are there: a ping to each, twice, at once. It ends as soon as all have
 * answered; before a verdict of silence it lets the process look at its sockets once more.
 *
 * Everybody is asked, however recently seen: a peer that fell silent a moment ago must not cost its user a refusal.
 * @source spec section 5 "Probe"; orca#12790
 */
export class Probe implements Watcher {
  readonly #parts: ProbeParts;
  readonly #request: ProbeRequest;
  /** Who has not been heard of, with `bytesReceived` at the first ping. */
  readonly #unheard = new Map<ManagedConnection, number>();
  #timer: Timer | null = null;
  #isOver = false;

  constructor(parts: ProbeParts, request: ProbeRequest) {
    this.#parts = parts;
    this.#request = request;
  }

  /** Sends the first pings. `onDone` may be called before this returns, where nobody has to be asked. */
  start(): void {
    if (this.#isOver) return;
    for (const link of this.#request.links) if (stateOf(link) !== 'closed') this.#listenTo(link);
    for (const link of [...this.#unheard.keys()]) this.#parts.pinger.ping(link);
    if (this.#unheard.size === 0) this.#finish();
    else this.#timer = this.#parts.clock.setTimer(this.#half, this.#request.spacingMs);
  }

  /** Ends it without findings. */
  cancel(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    for (const link of this.#unheard.keys()) this.#forget(link);
  }

  heard(link: ManagedConnection): void {
    this.#forget(link);
    if (this.#unheard.size === 0) this.#finish();
  }

  #listenTo(link: ManagedConnection): void {
    sample(link);
    this.#unheard.set(link, link.bytesReceivedSeen);
    link.watcher = this;
  }

  readonly #half = (): void => {
    for (const [link, bytesThen] of this.#unheard) {
      if (this.#isHeard(link, bytesThen)) this.#forget(link);
      else if (!hasUnsent(link)) this.#parts.pinger.ping(link);
    }
    this.#request.onHalf?.();
    if (this.#unheard.size === 0) this.#finish();
    else this.#timer = this.#parts.clock.setTimer(this.#lookAgain, this.#request.windowMs);
  };

  readonly #lookAgain = (): void => {
    this.#parts.clock.afterPoll(() => {
      this.#finish();
    });
  };

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.cancel();
    const findings = { silent: new Set<ManagedConnection>(), stuck: new Set<ManagedConnection>() };
    for (const [link, bytesThen] of this.#unheard) {
      const verdict = judgeSilence(link, bytesThen, this.#parts.slowConsumerTimeoutMs);
      if (verdict === 'silent' || verdict === 'stuck') findings[verdict].add(link);
      this.#forget(link);
    }
    this.#request.onDone(findings);
  }

  #isHeard(link: ManagedConnection, bytesThen: number): boolean {
    return judgeSilence(link, bytesThen, this.#parts.slowConsumerTimeoutMs) === 'heard';
  }

  #forget(link: ManagedConnection): void {
    this.#unheard.delete(link);
    if (link.watcher === this) link.watcher = null;
  }
}
