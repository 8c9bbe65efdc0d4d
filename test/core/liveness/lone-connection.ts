import { createUserExecutionContext } from '../../../src/core/identity/user-execution-context.js';
import { StallClock } from '../../../src/core/liveness/stall-clock.js';
import { ManagedConnection } from '../../../src/core/managers/managed-connection.js';
import {
  WebSocketManager,
  type AttachedConnection,
  type ManagerLifecycle,
} from '../../../src/core/managers/manager.js';
import { FakeConnection, SimulatedTime } from '../../../src/testing/index.js';
import type { PeerOptions } from '../support.js';

/** A manager and its connection, with nothing around them. */
export interface LoneConnection {
  readonly manager: WebSocketManager;
  readonly connection: AttachedConnection;
  readonly transport: FakeConnection;
}

/** A clock on simulated time that notices stalls from the first moment on. */
export function watchfulClock(time = new SimulatedTime()): { time: SimulatedTime; clock: StallClock } {
  const clock = new StallClock({ time, toleranceMs: 100 });
  clock.setTimer(() => {}, Number.MAX_SAFE_INTEGER);
  return { time, clock };
}

let made = 0;

/** A connection of a thread of its own. */
export function loneConnection(
  at: { time: SimulatedTime; clock: StallClock },
  options: PeerOptions = {},
): LoneConnection {
  const host: ManagerLifecycle = {
    clock: at.clock,
    idleManagerTimeoutMs: 600_000,
    connectionClosing: () => {},
    connectionClosed: () => {},
    endConnection: () => {},
    connectionOverfull: () => {},
    managerFailed: () => {},
    errorReported: () => {},
    lateHookAdded: () => {},
    takeHold: () => {
      throw new Error('nobody holds it here');
    },
  };
  const context = createUserExecutionContext({ userId: 'ada', threadId: `thread_${(made += 1)}` });
  const manager = new WebSocketManager(host, context);
  manager.generation = 1;
  const transport = new FakeConnection({ ...options, time: at.time });
  const connection = new ManagedConnection(manager, transport, context);
  manager.connection = connection;
  transport.bind(connection);
  return { manager, connection, transport };
}

/** A socket of which not even the counters can be read. */
export function unreadable(transport: FakeConnection): void {
  for (const name of ['bytesReceived', 'bytesSent', 'unsentBytes', 'isReadingPaused', 'partialMessageBytes']) {
    Object.defineProperty(transport, name, {
      get: () => {
        throw new Error(`no ${name}`);
      },
    });
  }
}
