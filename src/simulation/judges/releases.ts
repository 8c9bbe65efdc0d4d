import type { MooringEvent } from '../../core/events.js';
import type { StrategyTally } from '../../core/vocabulary.js';
import type { JudgedWorld } from '../judged-world.js';
import { isInUse } from '../leaks.js';
import type { Report } from '../promises.js';
import type { SimulatedSocket } from '../socket.js';

/** A visit of the heartbeat may come a hundredth of the interval early. */
const punctuality = 0.99;

type Released = MooringEvent<'manager.released'>;

/** Judges each release by the truth about its peer, and what cleanups tell of them. */
export class ReleaseJudge {
  readonly #world: JudgedWorld;
  readonly #report: Report;
  /** When a level last acted, by user; forgotten with the user's last manager. */
  readonly #actedAtMs = new Map<string, number>();
  /** What cleanups alone release, as released and as they told. */
  readonly #cleaned = { idle: { released: 0, told: 0 }, evicted: { released: 0, told: 0 } };

  constructor(world: JudgedWorld, report: Report) {
    this.#world = world;
    this.#report = report;
    const { events } = world.mooring;
    events.on('manager.released', (event) => {
      this.#whenReleased(event);
    });
    events.on('cleanup.completed', (event) => {
      this.#whenCleaned(event);
      if (event.trigger === 'level') this.#whenLevelActed(event);
    });
    events.on('background.completed', (event) => {
      this.#whenCleaned(event);
    });
  }

  /** The server ends a connection; by then its manager has let it go, or it never had one. */
  closes(socket: SimulatedSocket): void {
    const key = this.#world.currentKeyOf(socket);
    if (key !== undefined) this.#report('closes for a reason', `${key} is closed, and its manager was not released`);
  }

  checkQuiet(): void {
    const { idle, evicted } = this.#cleaned;
    this.#checkTold('idle', idle);
    // Where the whole server is full, a newcomer changes places with one of its own user's, without a cleanup.
    if (this.#world.config.maxTotalManagers === null) this.#checkTold('evicted', evicted);
  }

  #checkTold(reason: string, { told, released }: { told: number; released: number }): void {
    if (told !== released) this.#report('told in full', `${told} ${reason} are told, and ${released} were released`);
  }

  #whenReleased(event: Released): void {
    const { userId, key, reason, generation } = event;
    if (this.#world.mooring.managerCountOf(userId) === 0) this.#actedAtMs.delete(userId);
    if (reason === 'idle' || reason === 'evicted') this.#cleaned[reason].released += 1;
    if (reason === 'unattached' && generation > 0)
      this.#report('unattached means unattached', `${key} has had ${generation} connections`);
    if (reason === 'requested' && !this.#world.isAskedFor(key))
      this.#report('asked means asked', `nobody asked for the release of ${key}`);
    if (reason === 'shutdown' && !this.#world.isStopping)
      this.#report('asked means asked', `${key} is released for a stop, and nobody stops`);
    const socket = this.#world.socketOf(key);
    if (socket !== null) this.#checkSocket(event, socket);
  }

  #checkSocket(event: Released, socket: SimulatedSocket): void {
    const { key, reason } = event;
    if (reason === 'disconnected') this.#checkDead(event, socket);
    if (reason === 'evicted') this.#checkEvicted(event, socket);
    if (reason === 'idle') this.#checkIdle(event, socket);
    if (reason === 'closed' && !socket.isOver) this.#report('closed means closed', `${key} is open`);
    if (reason === 'error' && !socket.hasFailed) this.#report('error means error', `${key} had no error`);
  }

  /** One that was there to hear the first ping that nothing came after: its answer was on the way. */
  #checkDead(event: Released, socket: SimulatedSocket): void {
    const { key, closeCause, by } = event;
    if (socket.isOver) return;
    if (closeCause === 'slow') {
      this.#checkSlow(event, socket);
      return;
    }
    if (socket.traits.throwsFrom.includes('ping')) return;
    const askedAgoMs = Math.round(this.#world.now() - socket.unansweredSinceMs);
    if (socket.presentSinceMs <= socket.unansweredSinceMs)
      this.#report('answering stays', `${key} was asked ${askedAgoMs} ms ago, and answers`);
    if (askedAgoMs + this.#world.stallSlackSince(socket.unansweredSinceMs) < this.#patienceMs(by))
      this.#report('silence is patient', `${key} was asked no more than ${askedAgoMs} ms ago`);
  }

  /** How long a ping of ours must have been unanswered, by who releases it for that. What asks nobody finds nobody silent. */
  #patienceMs(by: Released['by']): number {
    const { heartbeatIntervalMs, maxHeartbeatMisses, minSilenceMs } = this.#world.config;
    if (by === 'heartbeat') return maxHeartbeatMisses * heartbeatIntervalMs * punctuality;
    return by === 'admission' || by === 'request' ? minSilenceMs : Infinity;
  }

  /** What waits to be sent has stood still, or we have not read and nothing came; less long where a newcomer waits. */
  #checkSlow({ key, by }: Released, { stuckSinceMs, isReadingPaused, lastByteAtMs }: SimulatedSocket): void {
    const { slowConsumerTimeoutMs, backlogExcuseMs } = this.#world.config;
    const nowMs = this.#world.now();
    const stuckMs = nowMs - stuckSinceMs + this.#world.stallSlackSince(stuckSinceMs);
    const unreadMs = isReadingPaused ? nowMs - lastByteAtMs + this.#world.slackSince(lastByteAtMs) : -Infinity;
    const isStuck = stuckMs >= (by === 'admission' ? backlogExcuseMs : slowConsumerTimeoutMs);
    if (!isStuck && unreadMs < slowConsumerTimeoutMs)
      this.#report('slow means slow', `${key} is stuck for ${stuckMs} ms, and was not read for ${unreadMs} ms`);
  }

  #checkEvicted({ key }: Released, socket: SimulatedSocket): void {
    const nowMs = this.#world.now();
    if (!isInUse(socket, nowMs + this.#world.slackSince(socket.activeAtMs), this.#world.config)) return;
    const held = socket.isHeld ? ', and is held' : '';
    this.#report('engaged stays', `${key} was active ${nowMs - socket.inboundAtMs} ms ago${held}`);
  }

  #checkIdle({ key }: Released, socket: SimulatedSocket): void {
    const { config } = this.#world;
    const idleMs = this.#world.now() + this.#world.slackSince(socket.activeAtMs) - socket.activeAtMs;
    const { isHeld } = socket;
    if (idleMs < config.patienceRatio * (config.idleManagerTimeoutMs ?? Infinity) || isHeld)
      this.#report('idle means idle', `${key} was active ${idleMs} ms ago${isHeld ? ', and is held' : ''}`);
  }

  #whenCleaned({ byStrategy }: { readonly byStrategy: StrategyTally }): void {
    this.#cleaned.idle.told += byStrategy.idle;
    this.#cleaned.evicted.told += byStrategy.oldest;
  }

  #whenLevelActed({ userId }: MooringEvent<'cleanup.completed'>): void {
    const nowMs = this.#world.now();
    const actedAtMs = this.#actedAtMs.get(userId) ?? -Infinity;
    if (nowMs - actedAtMs + this.#world.slackSince(actedAtMs) < this.#world.config.cleanupCooldownMs)
      this.#report('levels are patient', `the level of ${userId} acted ${nowMs - actedAtMs} ms ago`);
    if (this.#world.mooring.managerCountOf(userId) > 0) this.#actedAtMs.set(userId, nowMs);
  }
}
