import type { MooringEvent } from '../../core/events.js';
import { forever } from '../forever.js';
import type { Report } from '../promises.js';
import type { SimulatedSocket } from '../socket.js';
import type { JudgedWorld } from '../judged-world.js';

/** What a burst of loss costs at most. */
const lossMs = 1_000;

/** Judges refusals, and fights over a thread. */
export class RefusalJudge {
  readonly #world: JudgedWorld;
  readonly #report: Report;
  /** When each thread was taken over from a connection that was there. */
  readonly #takeovers = new Map<string, number[]>();

  constructor(world: JudgedWorld, report: Report) {
    this.#world = world;
    this.#report = report;
  }

  listen(): void {
    const { events } = this.#world.mooring;
    events.on('admission.refused', (event) => {
      this.#whenRefused(event);
    });
    events.on('connection.replaced', (event) => {
      this.#whenReplaced(event);
    });
    events.on('manager.released', ({ key }) => {
      this.#takeovers.delete(key);
    });
  }

  #whenRefused({ userId, key, ahead, waitedMs }: MooringEvent<'admission.refused'>): void {
    // What a ledger denies, it denies for what it has counted elsewhere.
    if (ahead === null || this.#world.ledger !== null || this.#world.limitOf(userId) === 0) return;
    // The queue has as many places as the limit: with a lowered one, fewer than there may be dead connections above it.
    if (waitedMs === 0 && ahead >= this.#world.limitOf(userId)) return;
    if (!this.#wasThere(key, waitedMs)) return;
    const dead = this.#world.socketsOf(userId).filter((socket) => this.#wasDeadFor(socket, waitedMs));
    if (dead.length > ahead)
      this.#report('no wrong refusal', `${key} is refused with ${ahead} ahead, while ${dead.length} are dead`);
  }

  /** Whether something came of the newcomer, or it was there to answer all the time that it waited. */
  #wasThere(key: string, waitedMs: number): boolean {
    const newcomer = this.#world.newcomerOf(key);
    if (newcomer === undefined || newcomer.isHeard) return true;
    const { presentSinceMs, traits } = newcomer.socket;
    if (traits.throwsFrom.includes('ping')) return false; // nobody can ask it
    const cameAtMs = this.#world.now() - waitedMs;
    return presentSinceMs <= cameAtMs && waitedMs > traits.roundTripMs + lossMs + this.#world.slackSince(cameAtMs);
  }

  /** A run that began after the newcomer came has asked it, and had no answer. */
  #wasDeadFor(socket: SimulatedSocket, waitedMs: number): boolean {
    const { probeTimeoutMs } = this.#world.config;
    if (socket.unsentBytes > 0 || socket.isReadingPaused) return false; // excuses, for a while
    const now = this.#world.now();
    if (socket.openedAtMs >= now - waitedMs) return false; // it was not open yet when the run began
    const slackMs = this.#world.slackSince(now - waitedMs);
    return now - socket.unreachableSinceMs > waitedMs + probeTimeoutMs + socket.traits.roundTripMs + slackMs;
  }

  /** Two that are there and keep taking a thread from each other are told so. */
  #whenReplaced({ key }: MooringEvent<'connection.replaced'>): void {
    const { takeoverFightLimit, takeoverFightWindowMs } = this.#world.config;
    const former = this.#world.socketOf(key);
    if (former === null || former.isOver || former.presentSinceMs === forever || former.isReadingPaused) return;
    if (former.hasLeftUnanswered(this.#world.config.minSilenceMs)) return; // it was asked, and conceded
    const now = this.#world.now();
    const since = now - takeoverFightWindowMs + this.#world.slackSince(now - takeoverFightWindowMs);
    const lately = (this.#takeovers.get(key) ?? []).filter((atMs) => atMs > since);
    this.#takeovers.set(key, [...lately, now]);
    if (lately.length > takeoverFightLimit)
      this.#report('fights are settled', `${key} has changed hands ${lately.length + 1} times`);
  }
}
