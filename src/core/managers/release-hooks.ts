import { describe } from '../errors.js';
import type { EventStream } from '../events.js';
import { isPromise } from '../promises.js';
import type { WebSocketConfig } from '../settings.js';
import type { Clock } from '../time.js';
import type { ReleaseReason } from '../vocabulary.js';
import type { ReleaseHook, WebSocketManager } from './manager.js';

interface HooksParts {
  readonly clock: Clock;
  readonly config: Pick<WebSocketConfig, 'hookTimeoutMs'>;
  readonly events: EventStream;
}

/**
 * Runs the application's release hooks. A hook that throws, rejects or hangs is reported. Only `stop()` waits for hooks,
 * for at most `hookTimeoutMs`.
 */
export class ReleaseHooks {
  readonly #parts: HooksParts;
  readonly #running = new Set<symbol>();
  readonly #emptied: (() => void)[] = [];

  constructor(parts: HooksParts) {
    this.#parts = parts;
  }

  /** Starts the hooks that the application has registered at this manager, and waits for none. Never throws. */
  start(manager: WebSocketManager, reason: ReleaseReason): void {
    for (const hook of manager.extras?.hooks ?? []) this.run(hook, manager, reason);
  }

  /** Runs one hook of a manager that is released. Never throws. */
  run(hook: ReleaseHook, manager: WebSocketManager, reason: ReleaseReason): void {
    const controller = new AbortController();
    try {
      const result = hook({ manager, reason, signal: controller.signal });
      if (isPromise(result)) void this.#await(result, manager, controller);
    } catch (error) {
      this.#report(manager, describe(error));
    }
  }

  /** Resolves once no hook runs any longer. */
  whenEmpty(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#emptied.push(resolve));
  }

  #await(result: PromiseLike<unknown>, manager: WebSocketManager, controller: AbortController): Promise<void> {
    const run = Symbol('hook');
    this.#running.add(run);
    const { clock, config } = this.#parts;
    const { hookTimeoutMs } = config;
    const deadline = clock.setTimer(() => {
      this.#report(manager, `still running after ${String(hookTimeoutMs)} ms`);
      this.#finish(run);
      controller.abort();
    }, hookTimeoutMs);
    return Promise.resolve(result).then(
      () => {
        deadline.cancel();
        this.#finish(run);
      },
      (error: unknown) => {
        deadline.cancel();
        if (this.#finish(run)) this.#report(manager, describe(error));
      },
    );
  }

  #finish(run: symbol): boolean {
    const wasRunning = this.#running.delete(run);
    if (this.#running.size === 0) for (const resolve of this.#emptied.splice(0)) resolve();
    return wasRunning;
  }

  #report(manager: WebSocketManager, error: string): void {
    this.#parts.events.emitOf('hook.failed', manager, { error });
  }
}
