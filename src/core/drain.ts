import type { Lifecycle } from './managers/lifecycle.js';
import type { WebSocketManager } from './managers/manager.js';
import type { ManagerRegistry } from './managers/registry.js';
import { withResolver } from './promises.js';
import type { WebSocketConfig } from './settings.js';
import { jittered, type Clock, type Random } from './time.js';

interface DrainParts {
  readonly clock: Clock;
  readonly config: WebSocketConfig;
  readonly registry: ManagerRegistry;
  readonly lifecycle: Pick<Lifecycle, 'release'>;
  readonly random: Random;
}

/**
 * Closes all connections of a server that stops, in waves. A held manager is closed as soon as its last hold ends, at the
 * latest after `drainHoldTimeoutMs`.
 */
export class Drain {
  readonly #parts: DrainParts;
  #isRunning = false;
  #whenEmpty: () => void = () => undefined;

  constructor(parts: DrainParts) {
    this.#parts = parts;
  }

  /** Resolves once every manager is released. Never rejects. */
  async run(): Promise<void> {
    const { clock, config, registry } = this.#parts;
    this.#isRunning = true;
    const untilMs = clock.now() + config.drainHoldTimeoutMs;
    await this.#closeInWaves([...registry.all()], (manager) => !manager.isHeld);
    await this.#whenEmptyOr(untilMs);
    await this.#closeInWaves([...registry.all()], () => true);
  }

  lastHoldEnded(manager: WebSocketManager): void {
    if (this.#isRunning) this.#close(manager);
  }

  managerReleased(): void {
    if (this.#parts.registry.size === 0) this.#whenEmpty();
  }

  /** Resolves once every manager is released, at the latest at `untilMs`. */
  async #whenEmptyOr(untilMs: number): Promise<void> {
    const { clock, registry } = this.#parts;
    if (registry.size === 0) return;
    const { promise, resolve } = withResolver<undefined>();
    this.#whenEmpty = () => {
      resolve(undefined);
    };
    const timer = clock.setTimer(this.#whenEmpty, Math.max(0, untilMs - clock.now()));
    await promise;
    timer.cancel();
  }

  async #closeInWaves(
    managers: readonly WebSocketManager[],
    isDue: (manager: WebSocketManager) => boolean,
  ): Promise<void> {
    const { clock, config } = this.#parts;
    const due = managers.filter(isDue);
    for (let from = 0; from < due.length; from += config.drainWaveSize) {
      for (const manager of due.slice(from, from + config.drainWaveSize)) if (isDue(manager)) this.#close(manager);
      if (from + config.drainWaveSize >= due.length) return;
      await new Promise<void>((resolve) => clock.setTimer(resolve, config.drainWaveIntervalMs));
    }
  }

  #close(manager: WebSocketManager): void {
    const { lifecycle, random, config } = this.#parts;
    const retryAfterMs = jittered(config.drainRetryMs, 0.5, random);
    lifecycle.release(manager, 'shutdown', { detail: { retryAfterMs } });
  }
}
