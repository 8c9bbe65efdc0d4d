import type { MooringEvent } from '../../core/events.js';
import type { Report } from '../promises.js';
import type { SimulatedSocket } from '../socket.js';
import type { JudgedWorld } from '../judged-world.js';
import type { LineJudge, Waiting } from './line.js';

/** How often it is looked who waits beside a suspect. */
const lookEveryMs = 50;

/** How long one that was heard of may wait beside a suspect: a poll phase, or until it is looked at again. */
const promptMs = 300;

/** So much earlier than a run's end a connection must have become a suspect, unless the run gave suspects away. */
const marginMs = 50;

/** A connection that was asked in vain for as long as it takes. */
interface Standing {
  /** When the ping left that it has not answered. */
  readonly askedAtMs: number;
}

/**
 * Judges whether suspects give up their places. Which connections are suspects it concludes from what cleanups tell of
 * themselves and from the truth, and only of those whose answers have always been quick.
 */
export class SuspectJudge {
  readonly #world: JudgedWorld;
  readonly #report: Report;
  readonly #line: LineJudge;
  readonly #suspects = new Map<string, Map<SimulatedSocket, Standing>>();
  #lookAtMs = 0;

  constructor(world: JudgedWorld, report: Report, line: LineJudge) {
    this.#world = world;
    this.#report = report;
    this.#line = line;
    world.mooring.on('cleanup.completed', (event) => {
      if (event.trigger === 'admission' || event.trigger === 'request') this.#whenAsked(event);
    });
  }

  step(): void {
    if (this.#suspects.size === 0 || this.#world.now() < this.#lookAtMs) return;
    this.#lookAtMs = this.#world.now() + lookEveryMs;
    for (const userId of this.#suspects.keys()) this.#checkUser(userId);
  }

  #whenAsked({ userId, durationMs, timedOut, byStrategy }: MooringEvent<'cleanup.completed'>): void {
    const { probeTimeoutMs, minSilenceMs } = this.#world.config;
    const beganAtMs = this.#world.now() - durationMs;
    // Those who become suspects in the same moment do so before the first of them is given away.
    const minMs = byStrategy.disconnected > 0 ? 0 : marginMs;
    if (timedOut || durationMs < 2 * probeTimeoutMs + minMs || this.#hasStalledSince(beganAtMs)) return;
    for (const socket of this.#world.socketsOf(userId)) {
      const isOverdue = this.#world.now() - socket.unansweredSinceMs >= minSilenceMs + minMs;
      if (!isOverdue || !this.#wasJudged(socket, beganAtMs)) continue;
      const suspects = this.#suspects.get(userId) ?? new Map<SimulatedSocket, Standing>();
      this.#suspects.set(userId, suspects.set(socket, { askedAtMs: socket.unansweredSinceMs }));
    }
  }

  #hasStalledSince(atMs: number): boolean {
    return this.#world.stallSlackSince(atMs) > this.#world.stallSlackSince(Infinity);
  }

  /** Whether the run that began then has asked it, gave it the usual time, and knew no excuse for it. */
  #wasJudged(socket: SimulatedSocket, beganAtMs: number): boolean {
    const { probeTimeoutMs } = this.#world.config;
    const isQuick = socket.slowestAnswerMs >= 0 && 4 * socket.slowestAnswerMs < probeTimeoutMs;
    // A stall hides from the server how quick an answer was.
    if (!isQuick || this.#hasStalledSince(socket.openedAtMs)) return false;
    const mayBeExcused = socket.hasExcuse || socket.isReadingPaused || socket.traits.throwsFrom.length > 0;
    const wasAsked = socket.openedAtMs < beganAtMs && socket.unansweredSinceMs <= beganAtMs + marginMs;
    return wasAsked && !mayBeExcused;
  }

  #checkUser(userId: string): void {
    const standing = this.#stillStanding(userId);
    if (standing === 0 || this.#world.isStopping || this.#world.limitOf(userId) === 0) return;
    const nowMs = this.#world.now();
    const heard = this.#line.of(userId).filter((newcomer) => this.#noteHeard(newcomer, nowMs));
    for (const { key, heardAtMs } of heard.slice(0, standing)) {
      const waitedMs = nowMs - heardAtMs;
      if (waitedMs > promptMs + this.#world.stallSlackSince(heardAtMs))
        this.#report('suspects give way', `${key} has waited for ${waitedMs} ms beside ${standing} suspects`);
    }
  }

  /** Forgets those that were heard of, or are gone. @returns how many are left */
  #stillStanding(userId: string): number {
    const suspects = this.#suspects.get(userId) ?? new Map<SimulatedSocket, Standing>();
    const counted = new Set(this.#world.socketsOf(userId));
    for (const [socket, { askedAtMs }] of suspects) {
      const isSame = counted.has(socket) && !socket.isOver && socket.unansweredSinceMs === askedAtMs;
      if (!isSame || socket.isReadingPaused || socket.hasExcuse) suspects.delete(socket);
    }
    if (suspects.size === 0) this.#suspects.delete(userId);
    return suspects.size;
  }

  #noteHeard(newcomer: Waiting, nowMs: number): boolean {
    const isHeard = this.#world.newcomerOf(newcomer.key)?.isHeard === true;
    if (isHeard) newcomer.heardAtMs = Math.min(newcomer.heardAtMs, nowMs);
    return isHeard;
  }
}
