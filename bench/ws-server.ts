import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { attach } from '../src/adapters/ws.js';
import { createMooring, type Mooring } from '../src/index.js';
import { whoIs } from './support/who-is.js';
import { bytes, cpuUs } from './support/usage.js';
import { serveCalls } from './support/worker.js';

/** `plain`: a `ws` server with the heartbeat of its README. `moored`: the same server, with Mooring instead. */
export type ServerKind = 'plain' | 'moored';

/** How many connections the server has, and how many of them Mooring knows. */
export interface Count {
  readonly connections: number;
  readonly managers: number;
}

export interface ServerCalls {
  /** @returns the port */
  listen(): Promise<number>;
  /** @returns microseconds of CPU time of this process, in user and system mode */
  cpuUs(): number;
  /** @returns bytes in use on the heap, and external bytes that it holds, after a collection */
  bytes(): number;
  count(): Count;
}

/** The flag that the README of `ws` has applications keep. */
type Beating = WebSocket & { isAlive?: boolean };

const beatMs = 30_000;

const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
const mooring = process.argv[2] === 'moored' ? moor() : beat();

server.on('connection', (socket) => {
  socket.on('error', console.error);
  socket.on('message', (content, binary) => {
    socket.send(content as Buffer, { binary });
  });
});

serveCalls<ServerCalls>({
  async listen() {
    if (server.address() === null) await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  },
  cpuUs,
  bytes,
  count: () => ({ connections: server.clients.size, managers: mooring?.managerCount ?? 0 }),
});

function moor(): Mooring {
  const made = createMooring({ environment: 'production', env: {} });
  attach(server, { mooring: made, authenticate: whoIs });
  return made;
}

/** "How to detect and close broken connections?" of the README of `ws`. The application reads the user's id as well. */
function beat(): null {
  server.on('connection', (socket: Beating, request) => {
    if (whoIs(request).userId === '') socket.close(4401);
    socket.isAlive = true;
    socket.on('pong', heartbeat);
  });
  setInterval(() => {
    for (const socket of server.clients as Set<Beating>) {
      if (socket.isAlive === false) {
        socket.terminate();
        continue;
      }
      socket.isAlive = false;
      socket.ping();
    }
  }, beatMs);
  return null;
}

function heartbeat(this: Beating): void {
  this.isAlive = true;
}
