import type { WorldTime } from './world-time.js';

/** What an application's release hook does. */
export type HookKind = 'returns' | 'throws' | 'rejects' | 'takes long' | 'hangs' | 'ignores';

/** A release hook of the application, with its calls. */
export class HookRecord {
  readonly kind: HookKind;
  calls = 0;
  signal: AbortSignal | null = null;
  hasEnded = false;

  constructor(kind: HookKind) {
    this.kind = kind;
  }

  run(signal: AbortSignal, time: WorldTime): Promise<void> | undefined {
    this.calls += 1;
    this.signal = signal;
    const over = (): void => {
      this.hasEnded = true;
    };
    switch (this.kind) {
      case 'returns':
        over();
        return undefined;
      case 'throws':
        over();
        throw new Error('the hook throws');
      case 'rejects':
        over();
        return Promise.reject(new Error('the hook rejects'));
      case 'takes long':
        return new Promise<void>((resolve) => {
          time.schedule(2_000, resolve);
        }).then(over);
      case 'hangs':
        return new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => {
            resolve();
          });
        }).then(over);
      case 'ignores':
        return new Promise(() => undefined);
    }
  }
}
