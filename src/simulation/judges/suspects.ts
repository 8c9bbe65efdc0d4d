import type { MooringEvent } from '../../core/events.js';
import type { Report } from '../promises.js';
import type { SimulatedSocket } from '../socket.js';
import { Judge, type JudgedWorld } from './judge.js';
import type { QueueJudge, Waiting } from './queue.js';

const lookEveryMs = 50;

/** How long a newcomer that has sent bytes may wait beside a suspect: a poll phase, or until the judge looks again. */
const promptMs = 300;

/** How long before a run's end a connection must have become a suspect, unless the run gave places of suspects away. */
const marginMs = 50;

/**
 * Judges whether suspects give up their places. It concludes from the events of cleanups and from the truth which
 * connections are suspects, and only of clients whose answers have always been quick.
 */
export class SuspectJudge extends Judge {
  readonly #queue: QueueJudge;
  /** The suspects of each user, each with the time of the first ping that it has not answered. */
  readonly #suspects = new Map<string, Map<SimulatedSocket, number>>();

  constructor(world: JudgedWorld, report: Report, queue: QueueJudge) {
    super(world, report);
    this.#queue = queue;
    world.mooring.on('cleanup.completed', (event) => {
      if (event.trigger === 'admission' || event.trigger === 'request') this.#onAsked(event);
    });
  }

  step(): void {
    if (this.#suspects.size === 0 || !this.isTimeToLook(lookEveryMs)) return;
    for (const userId of this.#suspects.keys()) this.#checkUser(userId);
  }

  /** A run that pinged a user's connections has ended. */
  #onAsked({ userId, durationMs, timedOut, byStrategy }: MooringEvent<'cleanup.completed'>): void {
    const { probeTimeoutMs, minSilenceMs } = this.world.config;
    const beganAtMs = this.world.now() - durationMs;
    // Connections that become suspects at the same moment do so before the first of them loses its place.
    const minMs = byStrategy.disconnected > 0 ? 0 : marginMs;
    if (timedOut || durationMs < 2 * probeTimeoutMs + minMs || this.#hasStalledSince(beganAtMs)) return;
    for (const socket of this.world.socketsOf(userId)) {
      const isOverdue = this.world.now() - socket.unansweredSinceMs >= minSilenceMs + minMs;
      if (!isOverdue || !this.#wasAsked(socket, beganAtMs)) continue;
      const suspects = this.#suspects.get(userId) ?? new Map<SimulatedSocket, number>();
      this.#suspects.set(userId, suspects.set(socket, socket.unansweredSinceMs));
    }
  }

  #hasStalledSince(atMs: number): boolean {
    return this.world.stallSlackSince(atMs) > this.world.stallSlackSince(Infinity);
  }

  /** Whether the run that began then has pinged it, gave it the usual time, and knew no excuse for it. */
  #wasAsked(socket: SimulatedSocket, beganAtMs: number): boolean {
    const { probeTimeoutMs } = this.world.config;
    const isQuick = socket.slowestAnswerMs >= 0 && 4 * socket.slowestAnswerMs < probeTimeoutMs;
    // A stall hides from the server how quick an answer was.
    if (!isQuick || this.#hasStalledSince(socket.openedAtMs)) return false;
    const mayBeExcused = socket.hasExcuse || socket.isReadingPaused || socket.traits.throwsFrom.length > 0;
    const wasPinged = socket.openedAtMs < beganAtMs && socket.unansweredSinceMs <= beganAtMs + marginMs;
    return wasPinged && !mayBeExcused;
  }

  #checkUser(userId: string): void {
    const suspects = this.#updateSuspects(userId);
    if (suspects === 0 || this.world.isStopping || this.world.limitOf(userId) === 0) return;
    if (this.world.ledger !== null) return; // it may deny the place of a suspect to its newcomer
    const nowMs = this.world.now();
    const newcomers = this.#queue.of(userId).filter((newcomer) => this.#noteSentBytes(newcomer, nowMs));
    for (const { key, sentBytesAtMs } of newcomers.slice(0, suspects)) {
      const waitedMs = nowMs - sentBytesAtMs;
      if (waitedMs > promptMs + this.world.stallSlackSince(sentBytesAtMs))
        this.report('suspects give way', `${key} has waited for ${waitedMs} ms beside ${suspects} suspects`);
    }
  }

  /** Forgets suspects that have answered, have an excuse, or are gone. @returns how many are left */
  #updateSuspects(userId: string): number {
    const suspects = this.#suspects.get(userId) ?? new Map<SimulatedSocket, number>();
    const counted = new Set(this.world.socketsOf(userId));
    for (const [socket, askedAtMs] of suspects) {
      const isSame = counted.has(socket) && !socket.isOver && socket.unansweredSinceMs === askedAtMs;
      if (!isSame || socket.isReadingPaused || socket.hasExcuse) suspects.delete(socket);
    }
    if (suspects.size === 0) this.#suspects.delete(userId);
    return suspects.size;
  }

  #noteSentBytes(newcomer: Waiting, nowMs: number): boolean {
    const hasSentBytes = this.world.newcomerOf(newcomer.key)?.hasSentBytes === true;
    if (hasSentBytes) newcomer.sentBytesAtMs = Math.min(newcomer.sentBytesAtMs, nowMs);
    return hasSentBytes;
  }
}
