import type { SeedManager } from './manager.js';
import type { SeedRules } from './rules.js';

const proactiveIdleMs = 180_000;
const emergencyIdleMs = 300_000;
const backgroundIdleMs = 600_000;

/** `target_count=5`: how many of the oldest one emergency cleanup may close. */
const mostForced = 5;

const levels = [
  ['emergency', 0.9],
  ['critical', 0.8],
  ['warning', 0.6],
  ['info', 0.4],
] as const;

type Level = (typeof levels)[number][0] | 'normal';

interface FactoryOptions {
  readonly rules: SeedRules;
  readonly maxManagersPerUser: number;
  readonly now: () => number;
  /** Closes the connection of a manager that is gone. */
  readonly whenCleaned: (manager: SeedManager) => void;
}

/**
 * What the seed's `WebSocketManagerFactory` and `WebSocketResourceMonitor` decide, method by method. Its pings only
 * have to leave, which takes no time here; so its attempts never run into their timeouts, and its lock is not needed.
 *
 * Where the seed is silent, the kinder reading is taken: its dictionary keeps managers alive, so that none is lost to
 * a collected weak reference; messages either way count as activity; a thread's next connection starts without the
 * former one's errors; the oldest are closed only down to the threshold.
 * @source the seed, fixes 1, 3, 4 and 5
 */
export class SeedFactory {
  readonly #options: FactoryOptions;
  readonly #managers = new Map<string, Map<string, SeedManager>>();
  readonly #userAlerts = new Map<string, Level>();
  managerCount = 0;

  constructor(options: FactoryOptions) {
    this.#options = options;
  }

  /** The manager of the key, this one or the one it has; `null` where the user holds too many. */
  create(manager: SeedManager): SeedManager | null {
    const { rules, maxManagersPerUser } = this.#options;
    const { userId, key } = manager;
    const former = this.#managers.get(userId)?.get(key);
    if (former !== undefined) {
      // `active_connections[key] = info`: the former connection is nobody's any longer, and stays open.
      former.socket = manager.socket;
      former.hasError = false;
      return former;
    }
    if (this.#countOf(userId) >= maxManagersPerUser * rules.cleanupTriggerThreshold) this.#emergencyCleanup(userId);
    if (this.#countOf(userId) >= maxManagersPerUser) return null;
    this.#add(manager);
    if (rules.watchesLevels) this.#checkUserResources(userId);
    return manager;
  }

  /** `cleanup_manager`, by key: whichever connection the manager has by now. */
  cleanupManager(userId: string, key: string): void {
    const manager = this.#managers.get(userId)?.get(key);
    if (manager !== undefined) this.#cleanupSingleManager(manager);
  }

  /** `_enhanced_background_cleanup` */
  backgroundCleanup(): void {
    for (const userId of [...this.#managers.keys()]) this.#cleanupDue(userId, backgroundIdleMs);
  }

  /** Every manager of a user, the oldest first. */
  managersOf(userId: string): SeedManager[] {
    return [...(this.#managers.get(userId)?.values() ?? [])];
  }

  users(): Iterable<string> {
    return this.#managers.keys();
  }

  /** `_perform_emergency_cleanup` */
  #emergencyCleanup(userId: string): void {
    const { rules, maxManagersPerUser } = this.#options;
    this.#cleanupDue(userId, emergencyIdleMs);
    const threshold = maxManagersPerUser * rules.cleanupTriggerThreshold;
    const above = Math.ceil(this.#countOf(userId) - threshold);
    if (rules.forcesOldest && above > 0) this.#forceCleanupOldest(userId, Math.min(above, mostForced));
  }

  /** Strategies 1 to 3. */
  #cleanupDue(userId: string, maxIdleMs: number): void {
    this.#cleanupWhere(userId, (manager) => !manager.isConnectionActive);
    this.#cleanupWhere(userId, (manager) => this.#idleMs(manager) > maxIdleMs);
    this.#cleanupWhere(userId, (manager) => manager.hasError);
  }

  /** `check_user_resources`: acts on every change of level, and on every look from `critical` on. */
  #checkUserResources(userId: string): void {
    const ratio = this.#countOf(userId) / this.#options.maxManagersPerUser;
    const level = levels.find(([, threshold]) => ratio >= threshold)?.[0] ?? 'normal';
    const previous = this.#userAlerts.get(userId) ?? 'normal';
    if (level === previous && level !== 'critical' && level !== 'emergency') return;
    this.#handleResourceAlert(userId, level);
    this.#userAlerts.set(userId, level);
  }

  #handleResourceAlert(userId: string, level: Level): void {
    if (level === 'warning') {
      this.#cleanupWhere(userId, (manager) => !manager.isConnectionActive);
      this.#cleanupWhere(userId, (manager) => this.#idleMs(manager) > proactiveIdleMs);
    } else if (level === 'critical') this.#emergencyCleanup(userId);
    else if (level === 'emergency') this.#emergencyResourceRecovery(userId);
  }

  #emergencyResourceRecovery(userId: string): void {
    const { maxManagersPerUser } = this.#options;
    this.#emergencyCleanup(userId);
    const remaining = this.#countOf(userId);
    if (remaining >= maxManagersPerUser * 0.8)
      this.#forceCleanupOldest(userId, remaining - Math.floor(maxManagersPerUser * 0.5));
  }

  #forceCleanupOldest(userId: string, count: number): void {
    for (const manager of this.managersOf(userId).slice(0, count)) this.#cleanupSingleManager(manager);
  }

  #cleanupWhere(userId: string, isDue: (manager: SeedManager) => boolean): void {
    for (const manager of this.managersOf(userId)) if (isDue(manager)) this.#cleanupSingleManager(manager);
  }

  #cleanupSingleManager(manager: SeedManager): void {
    const managers = this.#managers.get(manager.userId);
    if (managers?.delete(manager.key) !== true) return;
    if (managers.size === 0) this.#managers.delete(manager.userId);
    this.managerCount -= 1;
    this.#options.whenCleaned(manager);
  }

  #add(manager: SeedManager): void {
    const managers = this.#managers.get(manager.userId) ?? new Map<string, SeedManager>();
    this.#managers.set(manager.userId, managers);
    managers.set(manager.key, manager);
    this.managerCount += 1;
  }

  #countOf(userId: string): number {
    return this.#managers.get(userId)?.size ?? 0;
  }

  #idleMs({ lastActivityAtMs }: SeedManager): number {
    return this.#options.now() - lastActivityAtMs;
  }
}
