import type { MooringEvent } from '../../core/events.js';
import type { StrategyTally } from '../../core/vocabulary.js';
import { isInUse } from '../leaks.js';
import type { Report } from '../promises.js';
import type { SimulatedSocket } from '../socket.js';
import { Judge, type JudgedWorld } from './judge.js';

/** A visit of the heartbeat may come early by a hundredth of the interval. */
const punctuality = 0.99;

type Released = MooringEvent<'manager.released'>;

/** Judges each release by the truth about the client, and what cleanups report. */
export class ReleaseJudge extends Judge {
  /** When a level last acted, by user; forgotten with the user's last manager. */
  readonly #actedAtMs = new Map<string, number>();
  /** Managers released for reasons that only cleanups have, and how many of them the cleanups reported. */
  readonly #cleaned = { idle: { released: 0, told: 0 }, evicted: { released: 0, told: 0 } };

  constructor(world: JudgedWorld, report: Report) {
    super(world, report);
    const { events } = world.mooring;
    events.on('manager.released', (event) => this.#onReleased(event));
    events.on('cleanup.completed', (event) => {
      this.#onCleaned(event);
      if (event.trigger === 'level') this.#onLevelActed(event);
    });
    events.on('background.completed', (event) => this.#onCleaned(event));
  }

  /** The server closes a connection: by then its manager has been released, or it never had one. */
  onClose(socket: SimulatedSocket): void {
    const key = this.world.currentKeyOf(socket);
    if (key !== undefined) this.report('closes for a reason', `${key} is closed, and its manager was not released`);
  }

  checkQuiet(): void {
    const { idle, evicted } = this.#cleaned;
    this.#checkTold('idle', idle);
    // If the whole server is full, a newcomer replaces a manager of its own user without a cleanup.
    if (this.world.config.maxTotalManagers === null) this.#checkTold('evicted', evicted);
  }

  #checkTold(reason: string, { told, released }: { told: number; released: number }): void {
    if (told !== released) this.report('told in full', `${told} ${reason} are told, and ${released} were released`);
  }

  #onReleased(event: Released): void {
    const { userId, key, reason, generation } = event;
    if (this.world.mooring.managerCountOf(userId) === 0) this.#actedAtMs.delete(userId);
    if (reason === 'idle' || reason === 'evicted') this.#cleaned[reason].released += 1;
    if (reason === 'unattached' && generation > 0)
      this.report('unattached means unattached', `${key} has had ${generation} connections`);
    if (reason === 'requested' && !this.world.isReleaseRequested(key))
      this.report('asked means asked', `nobody asked for the release of ${key}`);
    if (reason === 'shutdown' && !this.world.isStopping)
      this.report('asked means asked', `${key} is released for a stop, and nobody stops`);
    const socket = this.world.socketOf(key);
    if (socket !== null) this.#checkSocket(event, socket);
  }

  #checkSocket(event: Released, socket: SimulatedSocket): void {
    const { key, reason } = event;
    if (reason === 'disconnected') this.#checkDead(event, socket);
    if (reason === 'evicted') this.#checkEvicted(key, socket);
    if (reason === 'idle') this.#checkIdle(key, socket);
    if (reason === 'closed' && !socket.isOver) this.report('closed means closed', `${key} is open`);
    if (reason === 'error' && !socket.hasFailed) this.report('error means error', `${key} had no error`);
  }

  /** A client that could answer since the first unanswered ping was sent is not dead: its answer was under way. */
  #checkDead(event: Released, socket: SimulatedSocket): void {
    const { key, closeCause, by } = event;
    if (socket.isOver) return;
    if (closeCause === 'slow') {
      this.#checkSlow(event, socket);
      return;
    }
    if (socket.traits.throwsFrom.includes('ping')) return;
    const askedAgoMs = Math.round(this.world.now() - socket.unansweredSinceMs);
    if (socket.presentSinceMs <= socket.unansweredSinceMs)
      this.report('answering stays', `${key} was asked ${askedAgoMs} ms ago, and answers`);
    if (askedAgoMs + this.world.stallSlackSince(socket.unansweredSinceMs) < this.#minUnansweredMs(by))
      this.report('silence is patient', `${key} was asked no more than ${askedAgoMs} ms ago`);
  }

  /** How long a ping must have been unanswered at a release by this part. Parts that send no pings may not release. */
  #minUnansweredMs(by: Released['by']): number {
    const { heartbeatIntervalMs, maxHeartbeatMisses, minSilenceMs } = this.world.config;
    if (by === 'heartbeat') return maxHeartbeatMisses * heartbeatIntervalMs * punctuality;
    return by === 'admission' || by === 'request' ? minSilenceMs : Infinity;
  }

  /** Its data was stuck, or it was not read and nothing came; for less long if a newcomer waits. */
  #checkSlow({ key, by }: Released, { stuckSinceMs, isReadingPaused, lastByteAtMs }: SimulatedSocket): void {
    const { slowConsumerTimeoutMs, backlogExcuseMs } = this.world.config;
    const nowMs = this.world.now();
    const stuckMs = nowMs - stuckSinceMs + this.world.stallSlackSince(stuckSinceMs);
    const unreadMs = isReadingPaused ? nowMs - lastByteAtMs + this.world.slackSince(lastByteAtMs) : -Infinity;
    const isStuck = stuckMs >= (by === 'admission' ? backlogExcuseMs : slowConsumerTimeoutMs);
    if (!isStuck && unreadMs < slowConsumerTimeoutMs)
      this.report('slow means slow', `${key} is stuck for ${stuckMs} ms, and was not read for ${unreadMs} ms`);
  }

  #checkEvicted(key: string, socket: SimulatedSocket): void {
    const nowMs = this.world.now();
    if (isInUse(socket, nowMs + this.world.slackSince(socket.activeAtMs), this.world.config))
      this.report('engaged stays', `${key} was active ${nowMs - socket.inboundAtMs} ms ago${heldText(socket)}`);
  }

  #checkIdle(key: string, socket: SimulatedSocket): void {
    const { patienceRatio, idleManagerTimeoutMs } = this.world.config;
    const idleMs = this.world.now() + this.world.slackSince(socket.activeAtMs) - socket.activeAtMs;
    if (idleMs < patienceRatio * (idleManagerTimeoutMs ?? Infinity) || socket.isHeld)
      this.report('idle means idle', `${key} was active ${idleMs} ms ago${heldText(socket)}`);
  }

  #onCleaned({ byStrategy }: { readonly byStrategy: StrategyTally }): void {
    this.#cleaned.idle.told += byStrategy.idle;
    this.#cleaned.evicted.told += byStrategy.oldest;
  }

  #onLevelActed({ userId }: MooringEvent<'cleanup.completed'>): void {
    const nowMs = this.world.now();
    const actedAtMs = this.#actedAtMs.get(userId) ?? -Infinity;
    if (nowMs - actedAtMs + this.world.slackSince(actedAtMs) < this.world.config.cleanupCooldownMs)
      this.report('levels are patient', `the level of ${userId} acted ${nowMs - actedAtMs} ms ago`);
    if (this.world.mooring.managerCountOf(userId) > 0) this.#actedAtMs.set(userId, nowMs);
  }
}

function heldText({ isHeld }: SimulatedSocket): string {
  return isHeld ? ', and is held' : '';
}
