import type { WebSocketManager } from './manager.js';

/** Milliseconds since the last byte from the peer; without a connection, since the admission. */
export function silentMsOf({ connection, admittedAtMs }: WebSocketManager, nowMs: number): number {
  return nowMs - (connection === null ? admittedAtMs : connection.lastByteAtMs);
}
