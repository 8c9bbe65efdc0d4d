import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { queryObjects } from 'node:v8';
import { WebSocket, type WebSocketServer } from 'ws';
import { WsConnection } from '../../src/adapters/ws-connection.js';
import { Ticket } from '../../src/core/admission/ticket.js';
import { ManagedConnection } from '../../src/core/managers/managed-connection.js';
import { WebSocketManager } from '../../src/core/managers/manager.js';
import type { Mooring } from '../../src/index.js';
import { collect } from '../support/case.js';

/** What a server has when nobody is connected, by name. */
export interface Census {
  /** What must be as it was: objects by class, handles by kind, and Mooring's own counts. */
  readonly counts: Readonly<Record<string, number>>;
  /** In use of the heap, and kept outside for it. */
  readonly bytes: number;
  /** Of the whole process; never given back, so only shown. */
  readonly residentBytes: number;
}

const timer = setTimeout(() => undefined, 0);

/** What one connection is made of, and what it may leave behind. */
const classes: Readonly<Record<string, abstract new (...parameters: never[]) => unknown>> = {
  WebSocketManager,
  ManagedConnection,
  Ticket,
  WsConnection,
  WebSocket: WebSocket,
  Socket,
  IncomingMessage,
  Timeout: timer.constructor as new () => NodeJS.Timeout,
  Promise: Promise,
  Map,
  Set,
  // Listeners are functions; so are the hooks, and what a promise waits for.
  Function,
};

/** Counts what is left, after collecting. */
export function takeCensus(server: WebSocketServer, mooring: Mooring): Census {
  collect();
  const counts: Record<string, number> = {
    connections: server.clients.size,
    managers: mooring.managerCount,
    users: [...mooring.users()].length,
  };
  for (const [name, kind] of Object.entries(classes)) counts[name] = queryObjects(kind, { format: 'count' });
  for (const kind of process.getActiveResourcesInfo()) counts[`handle ${kind}`] = (counts[`handle ${kind}`] ?? 0) + 1;
  const { heapUsed, external, rss } = process.memoryUsage();
  return { counts, bytes: heapUsed + external, residentBytes: rss };
}
