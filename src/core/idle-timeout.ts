import type { ContextFields } from './identity/user-execution-context.js';

/** What stands for an idle timeout that is off, wherever something is measured by it, in milliseconds. */
const standingMs = 600_000;

/** The least and the longest idle timeout there is, in milliseconds. */
const range = Object.freeze({ minMs: 100, maxMs: 86_400_000 });

/** What is wanted of an idle timeout, in words. */
export const idleTimeoutWanted = `null, or a number of milliseconds from ${String(range.minMs)} to ${String(range.maxMs)}`;

/** Whether a connection may say this of its idle timeout. */
export function isIdleTimeout(value: unknown): value is number | null {
  return value === null || (typeof value === 'number' && value >= range.minMs && value <= range.maxMs);
}

/** What a context says of it; `undefined` if it says nothing, or nothing that makes sense. */
export function idleTimeoutOf({ idleTimeoutMs }: ContextFields): number | null | undefined {
  return idleTimeoutMs !== undefined && isIdleTimeout(idleTimeoutMs) ? idleTimeoutMs : undefined;
}

/** The idle timeout, or what stands for it if it is off: 600,000 ms. */
export function standingIdleTimeoutMs(idleTimeoutMs: number | null): number {
  return idleTimeoutMs ?? standingMs;
}
