import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { attach, managerOf } from '../../src/adapters/ws.js';
import { createMooring } from '../../src/index.js';
import { whoIs } from '../support/who-is.js';
import { serveCalls } from '../support/worker.js';
import { takeCensus, type Census } from './census.js';
import type { Planted } from './planted.js';

/** What the server has done since it started. */
export interface Done {
  readonly admitted: number;
  readonly refused: number;
  readonly released: Readonly<Record<string, number>>;
}

/** How many managers and connections there are. */
export interface Present {
  readonly connections: number;
  readonly managers: number;
}

export interface SoakServerCalls {
  /** @returns the port */
  listen(): Promise<number>;
  present(): Present;
  /** Collects, then counts. */
  census(): Census;
  done(): Done;
  /** Blocks the event loop, like an application that parses something huge. */
  stall(forMs: number): void;
}

/** Short times, so that every timeout passes many times in ten minutes. */
const config = {
  maxManagersPerUser: 5,
  heartbeatIntervalMs: 2_000,
  idleManagerTimeoutMs: 6_000,
  backgroundCleanupIntervalMs: 2_000,
  emergencyCleanupTimeoutMs: 2_000,
  hookTimeoutMs: 1_000,
  maxHoldMs: 6_000,
  resumeGraceMs: 1_000,
  drainHoldTimeoutMs: 1_000,
} as const;

const plantedLeak = process.argv[2] as Planted | undefined;
/** Where the planted leak holds objects. */
const kept: unknown[] = [];

/** One connection in this many is treated badly, in turn in different ways; and one in this many leaks. */
const badlyEvery = 100;

const mooring = createMooring({ environment: 'production', env: {}, ...config });
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', maxPayload: 4 * 2 ** 20 });
const released: Record<string, number> = {};
let admitted = 0;
let refused = 0;
let connections = 0;

mooring.on('manager.admitted', () => {
  admitted += 1;
});
mooring.on('admission.refused', () => {
  refused += 1;
});
mooring.on('manager.released', ({ reason }) => {
  released[reason] = (released[reason] ?? 0) + 1;
  if (admitted % badlyEvery === 0) throw new Error('a listener failed');
});

attach(server, {
  mooring,
  async authenticate(request) {
    const who = whoIs(request);
    if (who.userId.startsWith('slow')) await new Promise((done) => setTimeout(done, 50));
    if (who.userId.startsWith('stranger')) return null;
    if (who.userId.startsWith('unlucky')) throw new Error('the database of users is down');
    return who;
  },
});

server.on('connection', (socket) => {
  connections += 1;
  socket.on('error', () => undefined);
  socket.on('message', (content, binary) => {
    socket.send(content as Buffer, { binary });
  });
  useManager(socket);
  if (plantedLeak !== undefined && connections % badlyEvery === 50) plant(plantedLeak, socket);
});

/** What applications do with a manager, right and wrong. */
function useManager(socket: WebSocket): void {
  const manager = managerOf(socket);
  if (connections % 3 === 0) manager.onRelease(() => new Promise((done) => setTimeout(done, 20)));
  const turn = connections % badlyEvery;
  if (turn === 1) manager.onRelease(() => Promise.reject(new Error('a hook failed')));
  else if (turn === 2) manager.onRelease(() => new Promise(() => undefined));
  else if (turn === 4) {
    manager.onRelease(() => {
      socket.close();
    });
  } else if (turn === 5) manager.hold();
}

function plant(leak: Planted, socket: WebSocket): void {
  if (leak === 'managers') kept.push(managerOf(socket));
  else if (leak === 'timers') kept.push(setInterval(() => undefined, 60_000));
  else if (leak === 'listeners') mooring.on('manager.admitted', () => undefined);
  else kept.push(Array.from({ length: 2_048 }, (_, index) => index + 0.5));
}

serveCalls<SoakServerCalls>({
  async listen() {
    if (server.address() === null) await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  },
  present: () => ({ connections: server.clients.size, managers: mooring.managerCount }),
  census: () => takeCensus(server, mooring),
  done: () => ({ admitted, refused, released }),
  stall(forMs) {
    const until = performance.now() + forMs;
    while (performance.now() < until);
  },
});
