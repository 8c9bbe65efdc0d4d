import type { WorldTime } from './world-time.js';

/** What a release hook of an application may do. `hangs` ends when its time is up, `ignores` never ends. */
export const hookKinds = ['returns', 'throws', 'rejects', 'takes long', 'hangs', 'ignores'] as const;
export type HookKind = (typeof hookKinds)[number];

const longMs = 2_000;

/** A release hook of the application, and how often it was called. */
export class HookRecord {
  readonly #kind: HookKind;
  calls = 0;
  signal: AbortSignal | null = null;
  hasEnded = false;

  constructor(kind: HookKind) {
    this.#kind = kind;
  }

  run(signal: AbortSignal, time: WorldTime): Promise<void> | undefined {
    this.calls += 1;
    this.signal = signal;
    const end = (): void => {
      this.hasEnded = true;
    };
    if (this.#kind === 'takes long') return new Promise<void>((resolve) => time.schedule(longMs, resolve)).then(end);
    if (this.#kind === 'hangs')
      return new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())).then(end);
    if (this.#kind === 'ignores') return new Promise(() => undefined);
    end();
    if (this.#kind === 'throws') throw new Error('the hook throws');
    return this.#kind === 'rejects' ? Promise.reject(new Error('the hook rejects')) : undefined;
  }
}
