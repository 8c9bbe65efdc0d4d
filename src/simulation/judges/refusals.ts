import type { MooringEvent } from '../../core/events.js';
import { forever } from '../forever.js';
import type { SimulatedSocket } from '../socket.js';
import { Judge } from './judge.js';

/** What a burst of loss costs at most. */
const lossMs = 1_000;

/** Judges refusals, and fights over a thread. */
export class RefusalJudge extends Judge {
  /** When each thread was taken over from a connection whose client was there. */
  readonly #takeovers = new Map<string, number[]>();

  listen(): void {
    const { events } = this.world.mooring;
    events.on('admission.refused', (event) => this.#onRefused(event));
    events.on('connection.replaced', (event) => this.#onReplaced(event));
    events.on('manager.released', ({ key }) => this.#takeovers.delete(key));
  }

  #onRefused({ userId, key, ahead, waitedMs }: MooringEvent<'admission.refused'>): void {
    // A ledger denies a slot for what it has counted elsewhere.
    if (ahead === null || this.world.ledger !== null || this.world.limitOf(userId) === 0) return;
    // The queue has as many places as the limit. If that was lowered, more connections above it may be dead.
    if (waitedMs === 0 && ahead >= this.world.limitOf(userId)) return;
    if (!this.#couldAnswer(key, waitedMs)) return;
    const dead = this.world.socketsOf(userId).filter((socket) => this.#wasDeadFor(socket, waitedMs));
    if (dead.length > ahead)
      this.report('no wrong refusal', `${key} is refused with ${ahead} ahead, while ${dead.length} are dead`);
  }

  /** Whether the newcomer sent bytes, or could have answered all the time that it waited. */
  #couldAnswer(key: string, waitedMs: number): boolean {
    const newcomer = this.world.newcomerOf(key);
    if (newcomer === undefined || newcomer.hasSentBytes) return true;
    const { presentSinceMs, traits } = newcomer.socket;
    if (traits.throwsFrom.includes('ping')) return false; // it was never asked
    const cameAtMs = this.world.now() - waitedMs;
    return presentSinceMs <= cameAtMs && waitedMs > traits.roundTripMs + lossMs + this.world.slackSince(cameAtMs);
  }

  /** Whether a run that began after the newcomer came has pinged it, and got no answer. */
  #wasDeadFor(socket: SimulatedSocket, waitedMs: number): boolean {
    const { probeTimeoutMs } = this.world.config;
    if (socket.unsentBytes > 0 || socket.isReadingPaused) return false; // excuses, for a while
    const now = this.world.now();
    if (socket.openedAtMs >= now - waitedMs) return false; // it was not open yet when the run began
    const slackMs = this.world.slackSince(now - waitedMs);
    return now - socket.unreachableSinceMs > waitedMs + probeTimeoutMs + socket.traits.roundTripMs + slackMs;
  }

  /** Two clients that both answer and keep taking a thread from each other must be stopped. */
  #onReplaced({ key }: MooringEvent<'connection.replaced'>): void {
    const { takeoverFightLimit, takeoverFightWindowMs, minSilenceMs } = this.world.config;
    const former = this.world.socketOf(key);
    if (former === null || former.isOver || former.presentSinceMs === forever || former.isReadingPaused) return;
    if (former.hasLeftUnanswered(minSilenceMs)) return; // it was pinged in vain, and gave way
    const now = this.world.now();
    const since = now - takeoverFightWindowMs + this.world.slackSince(now - takeoverFightWindowMs);
    const lately = (this.#takeovers.get(key) ?? []).filter((atMs) => atMs > since);
    this.#takeovers.set(key, [...lately, now]);
    if (lately.length > takeoverFightLimit)
      this.report('fights are settled', `${key} has changed hands ${lately.length + 1} times`);
  }
}
