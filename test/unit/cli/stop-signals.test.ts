import { describe, expect, it, vi } from 'vitest';
import { exitOnStopSignals, onStopSignals } from '../../../src/cli/terminal/stop-signals.js';
import { afterThisTest } from '../../support/setup.js';

function signals() {
  const [stop, exit] = [vi.fn(), vi.fn()];
  const forget = onStopSignals(stop, exit);
  afterThisTest(forget);
  return { stop, exit, forget };
}

describe('signals', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s stops at first, and exits with %i the second time', (signal, code) => {
    const { stop, exit } = signals();
    process.emit(signal, signal);
    expect([stop.mock.calls, exit.mock.calls]).toEqual([[[signal]], []]);
    process.emit(signal, signal);
    expect([stop.mock.calls.length, exit.mock.calls]).toEqual([1, [[code]]]);
  });

  it('of two kinds count together', () => {
    const { exit } = signals();
    process.emit('SIGINT', 'SIGINT');
    process.emit('SIGTERM', 'SIGTERM');
    expect(exit.mock.calls).toEqual([[143]]);
  });

  it('are not listened to any longer once forgotten', () => {
    const before = process.listenerCount('SIGINT');
    const { forget } = signals();
    forget();
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});

describe('signals to what need not stop in good order', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s exits with %i at once, after tidying up', (signal, code) => {
    const did: unknown[] = [];
    const forget = exitOnStopSignals(
      () => did.push('tidied up'),
      (exitCode) => did.push(exitCode),
    );
    afterThisTest(forget);
    process.emit(signal, signal);
    expect(did).toEqual(['tidied up', code]);
  });
});
