import { createUserExecutionContext } from '../../../src/core/identity/user-execution-context.js';
import { StallClock } from '../../../src/core/liveness/stall-clock.js';
import { ManagedConnection } from '../../../src/core/managers/managed-connection.js';
import { WebSocketManager, type ManagerHost } from '../../../src/core/managers/manager.js';
import { FakeConnection, SimulatedTime } from '../../../src/testing/index.js';
import type { PeerOptions } from '../support.js';

/** A manager and its connection, with nothing around them. */
export interface LoneLink {
  readonly manager: WebSocketManager;
  readonly link: ManagedConnection;
  readonly connection: FakeConnection;
}

/** A clock on simulated time that notices stalls from the first moment on. */
export function watchfulClock(time = new SimulatedTime()): { time: SimulatedTime; clock: StallClock } {
  const clock = new StallClock({ time, toleranceMs: 100 });
  clock.setTimer(() => {}, Number.MAX_SAFE_INTEGER);
  return { time, clock };
}

let made = 0;

/** A connection of a thread of its own. */
export function loneLink(at: { time: SimulatedTime; clock: StallClock }, options: PeerOptions = {}): LoneLink {
  const host: ManagerHost = {
    clock: at.clock,
    idleManagerTimeoutMs: 600_000,
    connectionClosing: () => {},
    connectionClosed: () => {},
    endConnection: () => {},
    connectionOverfull: () => {},
    managerFailed: () => {},
    managerReported: () => {},
    hookCameLate: () => {},
    takeHold: () => {
      throw new Error('nobody holds it here');
    },
  };
  const context = createUserExecutionContext({ userId: 'ada', threadId: `thread_${(made += 1)}` });
  const manager = new WebSocketManager(host, context);
  manager.generation = 1;
  const connection = new FakeConnection({ ...options, time: at.time });
  const link = new ManagedConnection(manager, connection, context);
  manager.link = link;
  connection.bind(link);
  return { manager, link, connection };
}

/** A socket of which not even the counters can be read. */
export function unreadable(connection: FakeConnection): void {
  for (const name of ['bytesReceived', 'bytesSent', 'unsentBytes', 'isReadingPaused', 'partialMessageBytes']) {
    Object.defineProperty(connection, name, {
      get: () => {
        throw new Error(`no ${name}`);
      },
    });
  }
}
