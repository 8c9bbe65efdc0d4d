import type { EventStream } from '../events.js';
import { noFindings, Probe, type ProbeFindings, type ProbeParts } from '../liveness/probe.js';
import type { WebSocketManager } from '../managers/manager.js';
import type { ManagerRegistry } from '../managers/registry.js';
import type { WebSocketResourceMonitor } from '../pressure/monitor.js';
import type { Slices } from '../slices.js';
import { routineStrategyNames, type RoutineStrategyName, type StrategyTally } from '../vocabulary.js';
import { checkEviction } from './emergency.js';
import { maxToEvict, type EvictionRequest } from './emergency-run.js';
import { strategiesByName } from './playbook.js';
import type { RoutineStrategy } from './strategies/victim.js';
import { chosenOf, Tally, type Chosen } from './tally.js';
import type { UserCleanup } from './user-cleanup.js';

/** The releases that a background cycle would do now. */
export interface BackgroundPreview {
  /** The first 1,000 of the managers that it would release. */
  readonly chosen: readonly Chosen[];
  /** How many of them each strategy chose. It counts all, also those that `chosen` leaves out. */
  readonly byStrategy: StrategyTally;
  /** How many managers it would release. */
  readonly count: number;
  /** How many users they belong to. */
  readonly users: number;
}

/** Options of a cleanup of one user. */
export interface CleanupRequest {
  /** @default all that never release a connection in use */
  readonly strategies?: readonly RoutineStrategyName[];
  /** Only choose, and release none. @default false */
  readonly dryRun?: boolean;
}

/** How a cleanup of one user went, or would go. */
export interface CleanupResult {
  readonly userId: string;
  readonly dryRun: boolean;
  /** The first 1,000 of the managers that it released, or would release. */
  readonly chosen: readonly Chosen[];
  /** Managers released; 0 for a dry run. */
  readonly cleaned: number;
  /** How many of them each strategy chose. It counts all, also those that `chosen` leaves out. */
  readonly byStrategy: StrategyTally;
  readonly durationMs: number;
  /** Managers left to the user, or that a real run would leave. */
  readonly remaining: number;
}

interface RequestedParts extends ProbeParts {
  readonly events: EventStream;
  readonly slices: Slices;
  /** Those of every cleanup, in their order. */
  readonly strategies: readonly RoutineStrategy[];
  readonly registry: ManagerRegistry;
  readonly userCleanup: UserCleanup;
  readonly monitor: Pick<WebSocketResourceMonitor, 'isPressed'>;
}

interface Order {
  readonly userId: string;
  readonly trigger: 'background' | 'request';
  readonly strategies: readonly RoutineStrategyName[];
  readonly wanted: EvictionRequest;
  readonly dryRun: boolean;
}

/**
 * Cleanups that operators or applications ask for, and previews of all cleanups. Connections are pinged before they are
 * judged, also by a dry run, which releases none.
 */
export class RequestedCleanup {
  readonly #parts: RequestedParts;
  /** Probes that go on, and the callbacks that wait for them. */
  readonly #probes = new Map<Probe, (findings: ProbeFindings) => void>();
  #isStopped = false;

  constructor(parts: RequestedParts) {
    this.#parts = parts;
  }

  /** Releases dead connections, and managers that the background cleanup would release. Never rejects. */
  clean(
    userId: string,
    { strategies = routineStrategyNames, dryRun = false }: CleanupRequest = {},
  ): Promise<CleanupResult> {
    return this.#run({ userId, trigger: 'background', strategies, wanted: {}, dryRun });
  }

  /** Chooses what an emergency cleanup would release now. Never rejects. @throws TypeError as that does */
  previewEmergency(userId: string, wanted: EvictionRequest = {}): Promise<CleanupResult> {
    checkEviction(wanted);
    return this.#run({ userId, trigger: 'request', strategies: routineStrategyNames, wanted, dryRun: true });
  }

  /**
   * Chooses what a background cycle would release now, and the levels that it acts on again. It walks through all
   * managers, in slices, and changes nothing. Never rejects.
   */
  previewBackground(): Promise<BackgroundPreview> {
    const { slices, strategies, registry, userCleanup, monitor, clock } = this.#parts;
    const tally = new Tally();
    const users = new Set<string>();
    const managers: Iterator<WebSocketManager, void> = registry.all();
    const sought = strategies.filter(({ dueAtMs }) => dueAtMs !== null);
    const step = (): boolean => {
      const { done, value: manager } = managers.next();
      if (done === true) return false;
      const trigger = monitor.isPressed(manager.userId) ? 'level' : 'background';
      // A background cycle visits only managers that are due; it may find that one of them is closed.
      const isVisited = trigger === 'level' || userCleanup.chooseOne(manager, trigger, sought) !== null;
      const victim = isVisited ? userCleanup.chooseOne(manager, trigger) : null;
      if (victim === null) return true;
      tally.add(chosenOf(victim, clock.now()));
      users.add(manager.userId);
      return true;
    };
    return new Promise((resolve) => {
      slices.run(step, () => {
        const { chosen, byStrategy, count } = tally;
        resolve({ chosen, byStrategy, count, users: users.size });
      });
    });
  }

  /** Ends all probes, without findings. Leaves no timer. */
  stop(): void {
    this.#isStopped = true;
    for (const [probe, resolve] of this.#probes) {
      probe.cancel();
      resolve(noFindings);
    }
    this.#probes.clear();
  }

  async #run(order: Order): Promise<CleanupResult> {
    const { clock, registry, userCleanup } = this.#parts;
    const { userId, trigger, wanted, dryRun } = order;
    const strategies = order.strategies.map((name): RoutineStrategy => strategiesByName[name]);
    const startedAtMs = clock.now();
    const findings = strategies.some(({ usesProbe }) => usesProbe) ? await this.#probe(userId) : noFindings;
    const victims = userCleanup.choose(userId, {
      trigger,
      findings,
      strategies,
      maxCount: maxToEvict(wanted, registry.countOf(userId)),
    });
    const tally = new Tally();
    if (dryRun) for (const victim of victims) tally.add(chosenOf(victim, clock.now()));
    else userCleanup.release(victims, { by: 'request', tally });
    const { byStrategy, chosen, count } = tally;
    const cleaned = dryRun ? 0 : count;
    const remaining = registry.countOf(userId) - (dryRun ? count : 0);
    const result = { userId, dryRun, chosen, cleaned, byStrategy, durationMs: clock.now() - startedAtMs, remaining };
    if (!dryRun) this.#announce(result);
    return result;
  }

  #probe(userId: string): Promise<ProbeFindings> {
    if (this.#isStopped) return Promise.resolve(noFindings);
    const connections = this.#parts.registry.connectionsOf(userId);
    return new Promise((resolve) => {
      const onDone = (findings: ProbeFindings): void => {
        this.#probes.delete(probe);
        resolve(findings);
      };
      const probe: Probe = new Probe(this.#parts, { connections, onDone });
      this.#probes.set(probe, resolve);
      probe.start();
    });
  }

  #announce({ userId, cleaned, byStrategy, durationMs, remaining }: CleanupResult): void {
    const run = { trigger: 'request', attempts: 1, timedOut: false, durationMs } as const;
    this.#parts.events.emit('cleanup.completed', { userId, ...run, cleaned, byStrategy, remaining });
  }
}
