import { ActiveManagers } from './active-managers.js';
import type { SeedManager, SeedSocket } from './manager.js';
import type { SeedRules } from './rules.js';

const proactiveIdleMs = 180_000;
const emergencyIdleMs = 300_000;
const backgroundIdleMs = 600_000;

/** How old an error may be that did not end its connection. */
const errorMs = 300_000;

/** `target_count=5`: how many of the oldest connections one emergency cleanup may close. */
const maxForced = 5;

const levels = [
  ['emergency', 0.9],
  ['critical', 0.8],
  ['warning', 0.6],
  ['info', 0.4],
] as const;

type Level = (typeof levels)[number][0] | 'normal';

interface FactoryOptions<Socket extends SeedSocket> {
  readonly rules: SeedRules;
  readonly maxManagersPerUser: number;
  readonly now: () => number;
  /** Closes the connection of a manager that was removed. */
  readonly onCleaned: (manager: SeedManager<Socket>) => void;
  /** @default managers with an index by user */
  readonly managers?: ActiveManagers<Socket>;
}

/**
 * The decisions of the sketch's `WebSocketManagerFactory` and `WebSocketResourceMonitor`, method by method. Its pings
 * only have to leave, which takes no time here; so its attempts never run into their timeouts, and it needs no lock.
 *
 * Where the sketch is silent, it gets the benefit of the doubt: its dictionary keeps managers alive, so that none is
 * lost to a collected weak reference; messages either way count as activity; a thread's next connection starts without
 * the errors of the former one; the oldest are closed only down to the threshold.
 */
export class SeedFactory<Socket extends SeedSocket> {
  readonly #options: FactoryOptions<Socket>;
  readonly #managers: ActiveManagers<Socket>;
  readonly #userAlerts = new Map<string, Level>();

  constructor(options: FactoryOptions<Socket>) {
    this.#options = options;
    this.#managers = options.managers ?? new ActiveManagers();
  }

  get managerCount(): number {
    return this.#managers.size;
  }

  /** The manager of the key, this one or the one that has it; `null` if the user holds too many. */
  create(manager: SeedManager<Socket>): SeedManager<Socket> | null {
    const { rules, maxManagersPerUser } = this.#options;
    const { userId, key } = manager;
    const former = this.#managers.get(userId, key);
    if (former !== undefined) {
      // `active_connections[key] = info`: the former connection belongs to nobody any longer, and stays open.
      former.socket = manager.socket;
      former.hasError = false;
      return former;
    }
    if (this.#managers.countOf(userId) >= maxManagersPerUser * rules.cleanupTriggerThreshold)
      this.#emergencyCleanup(userId);
    if (this.#managers.countOf(userId) >= maxManagersPerUser) return null;
    this.#managers.add(manager);
    if (rules.watchesLevels) this.#checkUserResources(userId);
    return manager;
  }

  /** `cleanup_manager`, by key: whichever connection the manager has by now. */
  cleanupManager(userId: string, key: string): void {
    const manager = this.#managers.get(userId, key);
    if (manager !== undefined) this.#cleanupSingleManager(manager);
  }

  /** `_enhanced_background_cleanup` */
  backgroundCleanup(): void {
    for (const userId of [...this.#managers.users()]) this.#cleanupDue(userId, backgroundIdleMs);
  }

  /** Every manager of a user, the oldest first. */
  managersOf(userId: string): SeedManager<Socket>[] {
    return this.#managers.of(userId);
  }

  users(): Iterable<string> {
    return this.#managers.users();
  }

  /** `_perform_emergency_cleanup` */
  #emergencyCleanup(userId: string): void {
    const { rules, maxManagersPerUser } = this.#options;
    this.#cleanupDue(userId, emergencyIdleMs);
    const threshold = maxManagersPerUser * rules.cleanupTriggerThreshold;
    const above = Math.ceil(this.#managers.countOf(userId) - threshold);
    if (rules.forcesOldest && above > 0) this.#forceCleanupOldest(userId, Math.min(above, maxForced));
  }

  /** Strategies 1 to 3. */
  #cleanupDue(userId: string, maxIdleMs: number): void {
    this.#cleanupWhere(userId, (manager) => !manager.isConnectionActive);
    this.#cleanupWhere(userId, (manager) => this.#idleMs(manager) > maxIdleMs);
    this.#cleanupWhere(userId, (manager) => this.#isInError(manager));
  }

  /** `check_user_resources`: acts on every change of level, and on every look from `critical` on. */
  #checkUserResources(userId: string): void {
    const ratio = this.#managers.countOf(userId) / this.#options.maxManagersPerUser;
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
    const remaining = this.#managers.countOf(userId);
    if (remaining >= maxManagersPerUser * 0.8)
      this.#forceCleanupOldest(userId, remaining - Math.floor(maxManagersPerUser * 0.5));
  }

  #forceCleanupOldest(userId: string, count: number): void {
    for (const manager of this.managersOf(userId).slice(0, count)) this.#cleanupSingleManager(manager);
  }

  #cleanupWhere(userId: string, isDue: (manager: SeedManager<Socket>) => boolean): void {
    for (const manager of this.#managers.of(userId)) if (isDue(manager)) this.#cleanupSingleManager(manager);
  }

  #cleanupSingleManager(manager: SeedManager<Socket>): void {
    if (this.#managers.remove(manager)) this.#options.onCleaned(manager);
  }

  #idleMs({ lastActivityAtMs }: SeedManager<Socket>): number {
    return this.#options.now() - lastActivityAtMs;
  }

  /** `_cleanup_error_state_managers` */
  #isInError({ hasError, lastErrorAtMs }: SeedManager<Socket>): boolean {
    return hasError || (lastErrorAtMs !== null && this.#options.now() - lastErrorAtMs > errorMs);
  }
}
