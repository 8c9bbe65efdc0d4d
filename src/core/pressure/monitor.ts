import type { EventStream } from '../events.js';
import type { UserLimits } from '../managers/limits.js';
import type { ManagedConnection } from '../managers/managed-connection.js';
import type { ManagerRegistry } from '../managers/registry.js';
import type { Clock } from '../time.js';
import { never } from '../time.js';
import { isAtLeast, levelOf, usageRatio, type Thresholds } from './level.js';
import type { AlertLevel } from '../vocabulary.js';

/** A user's usage. */
export interface UserResources {
  readonly userId: string;
  /** Live and reserved managers. */
  readonly managerCount: number;
  readonly usageRatio: number;
  readonly alertLevel: AlertLevel;
  /** `Infinity` without a limit. */
  readonly maxManagers: number;
}

/** What a level does about a user. */
export interface LevelAction {
  readonly userId: string;
  readonly level: AlertLevel;
  readonly maxManagers: number;
  /** The limit was lowered below the number of managers that the user has; none may be evicted for that. */
  readonly isLowered: boolean;
}

interface MonitorParts {
  readonly clock: Clock;
  readonly events: EventStream;
  readonly registry: ManagerRegistry;
  readonly limits: UserLimits;
  readonly thresholds: Thresholds;
  readonly cleanupCooldownMs: number;
  /** Whether levels evict: then every user's limit is remembered, to notice when it is lowered. */
  readonly remembersLimits: boolean;
  /** While an emergency cleanup of a user runs, levels only announce. */
  readonly emergency: { isRunning(userId: string): boolean };
  readonly levels: { act(action: LevelAction): void };
  /** Once nearly all of a user's places are taken, a newcomer may soon have to wait: then round trips must be known. */
  readonly heartbeat: { pingIfNew(connection: ManagedConnection): void };
}

/** A limit as JSON has it: `null` for none. */
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
 * Watches how full users' quotas are, announces levels and, when one rises, cleans up.
 *
 * A level that stays acts once per background cycle from `critical` on, at most once in `cleanupCooldownMs`; a level
 * that falls is announced and does nothing.
 */
export class WebSocketResourceMonitor {
  readonly #parts: MonitorParts;
  readonly #watched = new Map<string, Watched>();
  readonly #pressed = new Set<string>();
  readonly #crowded = new Set<string>();
  /** How many of those watched are at each level: it follows the only lines that change them. */
  readonly #watchedAt: Record<AlertLevel, number> = { normal: 0, info: 0, warning: 0, critical: 0, emergency: 0 };

  /** @internal */
  constructor(parts: MonitorParts) {
    this.#parts = parts;
  }

  /** Looks at a user now, and acts as after an admission. Never throws. */
  checkUserResources(userId: string): UserResources {
    const resources = this.#measure(userId);
    this.#note(resources);
    return this.#measure(userId);
  }

  /** The user's usage now. Announces nothing and does nothing about it. */
  lookAt(userId: string): UserResources {
    return this.#measure(userId);
  }

  /** The user's level as of the last check. */
  levelOf(userId: string): AlertLevel {
    return this.#watched.get(userId)?.level ?? 'normal';
  }

  /** How many users were at each level as of their last check; counted, not looked up: it costs the same for any number. */
  usersByLevel(): Record<AlertLevel, number> {
    const { info, warning, critical, emergency } = this.#watchedAt;
    // Within a release the user may be gone from the registry, and not from here yet.
    const normal = Math.max(0, this.#parts.registry.userCount - info - warning - critical - emergency);
    return { normal, info, warning, critical, emergency };
  }

  /** How many users have something remembered of them. */
  get watchedUsers(): number {
    return this.#watched.size;
  }

  /** @internal After each admission and release. */
  observe(userId: string): void {
    const { registry, limits, thresholds, remembersLimits } = this.#parts;
    if (!remembersLimits && (this.#watched.size === 0 || !this.#watched.has(userId))) {
      const ratio = usageRatio(registry.countOf(userId), limits.of(userId));
      if (ratio < thresholds.info) return;
    }
    this.#note(this.#measure(userId));
  }

  /** Whether the user is at `critical` or above. */
  isPressed(userId: string): boolean {
    return this.#pressed.has(userId);
  }

  /** @internal Whether the user's places are nearly all taken; of a small limit that is no level. */
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
    const { registry, limits, thresholds } = this.#parts;
    const managerCount = registry.countOf(userId);
    const maxManagers = limits.of(userId);
    const ratio = usageRatio(managerCount, maxManagers);
    return {
      userId,
      managerCount,
      usageRatio: ratio,
      alertLevel: levelOf(managerCount, maxManagers, thresholds),
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

  /** A user's level goes with the user's last manager. */
  #remember({ userId, managerCount, alertLevel, usageRatio: ratio }: UserResources, watched: Watched): void {
    if (managerCount === 0) this.#watched.delete(userId);
    else this.#watched.set(userId, watched);
    if (isAtLeast(alertLevel, 'critical')) this.#pressed.add(userId);
    else this.#pressed.delete(userId);
    if (ratio < this.#parts.thresholds.critical) this.#crowded.delete(userId);
    else if (!this.#crowded.has(userId)) {
      this.#crowded.add(userId);
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
    const { clock, cleanupCooldownMs, emergency, levels } = this.#parts;
    const now = clock.now();
    if (emergency.isRunning(userId) || now - watched.actedAtMs < cleanupCooldownMs) return;
    watched.actedAtMs = now;
    levels.act({ userId, level, maxManagers, isLowered: watched.isLowered });
  }
}
