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

/** What a server holds when no client is connected, by name. */
export interface Census {
  /** Counts that must not grow: objects by class, handles by kind, and Mooring's own. */
  readonly counts: Readonly<Record<string, number>>;
  /** Bytes in use on the heap, and external bytes that it holds. */
  readonly bytes: number;
  /** Resident bytes of the process. They are never given back, so they are only shown. */
  readonly residentBytes: number;
}

const timer = setTimeout(() => undefined, 0);

/** Classes whose objects a connection needs, or may leave behind. */
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
  // Listeners, hooks and continuations of promises are functions.
  Function,
};

/** Counts what is left after a collection. */
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
