import type { EventStream } from '../events.js';
import type { UserLimits } from '../managers/limits.js';
import type { ManagedConnection } from '../managers/managed-connection.js';
import type { ManagerRegistry } from '../managers/registry.js';
import type { WebSocketConfig } from '../settings.js';
import { never, type Clock } from '../time.js';
import type { AlertLevel } from '../vocabulary.js';
import { isAtLeast, levelOf, usageRatio, type Thresholds } from './level.js';

/** A user's usage. */
export interface UserResources {
  readonly userId: string;
  /** Live and reserved managers of this process. */
  readonly managerCount: number;
  /** The slots in all processes, if a quota ledger knows of more than `managerCount`. Level and ratio are by it. */
  readonly total?: number;
  readonly usageRatio: number;
  readonly alertLevel: AlertLevel;
  /** `Infinity` without a limit. */
  readonly maxManagers: number;
}

/** A cleanup that a level starts. */
export interface LevelAction {
  readonly userId: string;
  readonly level: AlertLevel;
  readonly maxManagers: number;
  /** Whether the limit was lowered below the number of the user's managers: none is evicted for that. */
  readonly isLowered: boolean;
}

interface MonitorParts {
  readonly clock: Clock;
  readonly config: Pick<WebSocketConfig, 'cleanupCooldownMs' | 'forcedEviction'>;
  readonly events: EventStream;
  readonly thresholds: Thresholds;
  readonly registry: ManagerRegistry;
  readonly limits: UserLimits;
  readonly confirmations: { totalOf(userId: string): number };
  readonly emergency: { isRunning(userId: string): boolean };
  readonly userCleanup: { cleanForLevel(action: LevelAction): void };
  readonly heartbeat: { pingIfNew(connection: ManagedConnection): void };
}

/** A limit for JSON: `null` if there is none. */
export function finiteOrNull(limit: number): number | null {
  return limit === Infinity ? null : limit;
}

interface Watched {
  level: AlertLevel;
  actedAtMs: number;
  limit: number;
  isLowered: boolean;
}

/**
 * Watches how full users' quotas are, announces levels and, when one rises, starts a cleanup.
 *
 * While a user stays at `critical` or above, a cleanup starts in each background cycle, at most once in
 * `cleanupCooldownMs`, and not while an emergency cleanup of the user runs. A level that falls is only announced.
 */
export class WebSocketResourceMonitor {
  readonly #parts: MonitorParts;
  /** Whether levels evict: then the limits of all users are kept, to notice when one is lowered. */
  readonly #keepsLimits: boolean;
  readonly #watched = new Map<string, Watched>();
  readonly #pressed = new Set<string>();
  readonly #crowded = new Set<string>();
  /** How many of the watched users are at each level. */
  readonly #watchedAt: Record<AlertLevel, number> = { normal: 0, info: 0, warning: 0, critical: 0, emergency: 0 };

  /** @internal */
  constructor(parts: MonitorParts) {
    this.#parts = parts;
    this.#keepsLimits = parts.config.forcedEviction === 'by-level';
  }

  /** Checks a user now, with the same effect as an admission. Never throws. */
  checkUserResources(userId: string): UserResources {
    const resources = this.#measure(userId);
    this.#note(resources);
    return this.#measure(userId);
  }

  /** The user's usage now, without any effect. */
  lookAt(userId: string): UserResources {
    return this.#measure(userId);
  }

  /** The user's level as of the last check. */
  levelOf(userId: string): AlertLevel {
    return this.#watched.get(userId)?.level ?? 'normal';
  }

  /** How many users were at each level as of their last check. Its cost does not depend on their number. */
  usersByLevel(): Record<AlertLevel, number> {
    const { info, warning, critical, emergency } = this.#watchedAt;
    // During a release the user may be gone from the registry, and still be counted here.
    const normal = Math.max(0, this.#parts.registry.userCount - info - warning - critical - emergency);
    return { normal, info, warning, critical, emergency };
  }

  /** How many users it keeps a level, or a limit, for. */
  get watchedUsers(): number {
    return this.#watched.size;
  }

  /** @internal After each admission and release. */
  observe(userId: string): void {
    const { confirmations, limits, thresholds } = this.#parts;
    if (!this.#keepsLimits && (this.#watched.size === 0 || !this.#watched.has(userId))) {
      const ratio = usageRatio(confirmations.totalOf(userId), limits.of(userId));
      if (ratio < thresholds.info) return;
    }
    this.#note(this.#measure(userId));
  }

  /** Whether the user is at `critical` or above. */
  isPressed(userId: string): boolean {
    return this.#pressed.has(userId);
  }

  /** @internal Whether the usage is at the critical threshold or above, also for small limits, which have no such level. */
  isCrowded(userId: string): boolean {
    return this.#crowded.has(userId);
  }

  /** @internal Users at `critical` or above. */
  pressedUsers(): string[] {
    return [...this.#pressed];
  }

  /** @internal Acts again on a user still at `critical` or above. */
  actAgain(userId: string): void {
    const resources = this.#measure(userId);
    this.#note(resources);
    const watched = this.#watched.get(userId);
    if (watched !== undefined && isAtLeast(watched.level, 'critical')) this.#act(resources, watched);
  }

  #measure(userId: string): UserResources {
    const { registry, confirmations, limits, thresholds } = this.#parts;
    const managerCount = registry.countOf(userId);
    const total = confirmations.totalOf(userId);
    const maxManagers = limits.of(userId);
    return {
      userId,
      managerCount,
      ...(total > managerCount && { total }),
      usageRatio: usageRatio(total, maxManagers),
      alertLevel: levelOf(total, maxManagers, thresholds),
      maxManagers,
    };
  }

  #note(resources: UserResources): void {
    const { userId, alertLevel, maxManagers } = resources;
    const watched = this.#watched.get(userId) ?? {
      level: 'normal',
      actedAtMs: never,
      limit: maxManagers,
      isLowered: false,
    };
    const previous = watched.level;
    if (maxManagers < watched.limit) watched.isLowered = true;
    if (!isAtLeast(alertLevel, 'critical')) watched.isLowered = false;
    watched.level = alertLevel;
    watched.limit = maxManagers;
    this.#count(resources, previous);
    this.#remember(resources, watched);
    if (alertLevel === previous) return;
    const rose = isAtLeast(alertLevel, previous);
    this.#announce(resources, { previous, direction: rose ? 'rise' : 'fall' });
    if (rose && isAtLeast(alertLevel, 'warning')) this.#act(resources, watched);
  }

  #count({ userId, managerCount, alertLevel }: UserResources, previous: AlertLevel): void {
    if (this.#watched.has(userId)) this.#watchedAt[previous] -= 1;
    if (managerCount > 0) this.#watchedAt[alertLevel] += 1;
  }

  /** Keeps what is needed of the user, until the user's last manager is released. */
  #remember({ userId, managerCount, alertLevel, usageRatio: ratio }: UserResources, watched: Watched): void {
    if (managerCount === 0) this.#watched.delete(userId);
    else this.#watched.set(userId, watched);
    if (isAtLeast(alertLevel, 'critical')) this.#pressed.add(userId);
    else this.#pressed.delete(userId);
    if (ratio < this.#parts.thresholds.critical) this.#crowded.delete(userId);
    else if (!this.#crowded.has(userId)) {
      this.#crowded.add(userId);
      // A newcomer may soon have to wait: then the round trips of the connections must be known.
      const { registry, heartbeat } = this.#parts;
      for (const connection of registry.connectionsOf(userId)) heartbeat.pingIfNew(connection);
    }
  }

  #announce(
    { userId, managerCount, maxManagers, usageRatio: ratio, alertLevel: level }: UserResources,
    change: { previous: AlertLevel; direction: 'rise' | 'fall' },
  ): void {
    this.#parts.events.emit('level.changed', {
      userId,
      level,
      ...change,
      managerCount,
      maxManagers: finiteOrNull(maxManagers),
      usageRatio: ratio,
    });
  }

  #act({ userId, alertLevel: level, maxManagers }: UserResources, watched: Watched): void {
    const { clock, config, emergency, userCleanup } = this.#parts;
    const now = clock.now();
    if (emergency.isRunning(userId) || now - watched.actedAtMs < config.cleanupCooldownMs) return;
    watched.actedAtMs = now;
    userCleanup.cleanForLevel({ userId, level, maxManagers, isLowered: watched.isLowered });
  }
}
