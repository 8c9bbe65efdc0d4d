import type { ContextFields } from './identity/user-execution-context.js';

/** The time in milliseconds that other times are computed from if the idle timeout is off. */
const standingMs = 600_000;

/** The shortest and the longest idle timeout, in milliseconds. */
const range = Object.freeze({ minMs: 100, maxMs: 86_400_000 });

/** The rule for an idle timeout, for messages. */
export const idleTimeoutWanted = `null, or a number of milliseconds from ${String(range.minMs)} to ${String(range.maxMs)}`;

/** Whether the value is a valid idle timeout of a connection. */
export function isIdleTimeout(value: unknown): value is number | null {
  return value === null || (typeof value === 'number' && value >= range.minMs && value <= range.maxMs);
}

/** The idle timeout of a context; `undefined` if it has none, or no valid one. */
export function idleTimeoutOf({ idleTimeoutMs }: ContextFields): number | null | undefined {
  return idleTimeoutMs !== undefined && isIdleTimeout(idleTimeoutMs) ? idleTimeoutMs : undefined;
}

/** The idle timeout, or 600,000 ms if it is off. */
export function standingIdleTimeoutMs(idleTimeoutMs: number | null): number {
  return idleTimeoutMs ?? standingMs;
}
