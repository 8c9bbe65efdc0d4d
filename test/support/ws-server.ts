import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws';
import { attach, findManager, type AttachOptions } from '../../src/adapters/ws.js';
import {
  createMooring,
  type Mooring,
  type MooringEvent,
  type MooringEventName,
  type MooringOptions,
  type WebSocketManager,
} from '../../src/index.js';
import { afterThisTest } from './setup.js';

/** What a test may want to be different. Settings come from the production preset; environment `''` is none set. */
export interface WsServerOptions extends MooringOptions {
  readonly ws?: ServerOptions;
  readonly attach?: Partial<AttachOptions>;
  readonly host?: string;
  /** What the application does with a socket. @default echoes */
  readonly serve?: (socket: WebSocket, request: IncomingMessage) => void;
}

/** A real server with a Mooring, in this process. */
export class WsServer {
  readonly server: WebSocketServer;
  readonly mooring: Mooring;
  readonly events: MooringEvent[] = [];
  readonly detach: () => void;
  readonly #host: string;

  constructor({ ws = {}, attach: more = {}, host = '127.0.0.1', serve = echo, ...options }: WsServerOptions) {
    this.#host = host;
    this.mooring = createMooring({ environment: 'production', env: {}, ...options });
    this.mooring.events.onAny((event) => this.events.push(event));
    const ownPort = ws.server === undefined && ws.noServer !== true ? { port: 0, host } : {};
    this.server = new WebSocketServer({ ...ownPort, ...ws });
    this.detach = attach(this.server, { mooring: this.mooring, authenticate: userOfQuery, ...more });
    this.server.on('connection', serve);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  url(userId: string, threadId: string): string {
    return `ws://${this.#host}:${this.port}/?${new URLSearchParams({ userId, threadId }).toString()}`;
  }

  /** Threads of a user, numbered. */
  urls(userId: string, count: number, prefix = ''): string[] {
    return Array.from({ length: count }, (_, i) => this.url(userId, `thread_${prefix}${i + 1}`));
  }

  said<Name extends MooringEventName>(name: Name): MooringEvent<Name>[] {
    return this.events.filter((event) => event.type === name) as unknown[] as MooringEvent<Name>[];
  }

  /** Resolves once the thread has been admitted; a newcomer that waits is open before. */
  async admits(threadId: string): Promise<MooringEvent<'manager.admitted'>> {
    return this.hears('manager.admitted', (admitted) => admitted.threadId === threadId);
  }

  /** Resolves with the first event of the name that fits, also where it has been said before. */
  async hears<Name extends MooringEventName>(
    name: Name,
    fits: (event: MooringEvent<Name>) => boolean = () => true,
  ): Promise<MooringEvent<Name>> {
    const said = this.said(name).find(fits);
    if (said !== undefined) return said;
    return new Promise((resolve) => {
      const end = this.mooring.on(name, (event) => {
        if (!fits(event)) return;
        end();
        resolve(event);
      });
    });
  }

  countOf(userId: string): number {
    return this.mooring.managerCountOf(userId);
  }

  managerOf(userId: string, threadId: string): WebSocketManager {
    const manager = this.mooring.getManager({ userId, threadId });
    if (manager === undefined) throw new Error(`${userId} ${threadId} has no manager`);
    return manager;
  }

  /** Managers of the application's sockets, in the order they connected. */
  get managers(): (WebSocketManager | undefined)[] {
    return [...this.server.clients].map((socket) => findManager(socket));
  }

  /** Why managers were released so far, counted. */
  get releases(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { reason } of this.said('manager.released')) counts[reason] = (counts[reason] ?? 0) + 1;
    return counts;
  }

  async stop(): Promise<void> {
    await this.mooring.stop();
    for (const socket of this.server.clients) socket.terminate();
    await new Promise((resolve) => {
      this.server.close(resolve);
    });
  }
}

/** A server for one test. When the test is over it stops, and nothing must be left of it. */
export async function wsServer(options: WsServerOptions = {}): Promise<WsServer> {
  const made = new WsServer(options);
  if (options.ws?.noServer !== true && made.server.address() === null) await once(made.server, 'listening');
  afterThisTest(async () => {
    await made.stop();
    expect(made.mooring.managerCount).toBe(0);
    expect([...made.mooring.users()]).toEqual([]);
    expect(made.said('manager.released')).toHaveLength(made.said('manager.admitted').length);
    expect(made.said('listener.failed')).toEqual([]);
  });
  return made;
}

/** The user and the thread that the query names: `?userId=…&threadId=…`. */
export function userOfQuery({ url }: IncomingMessage) {
  const query = new URLSearchParams(url?.split('?')[1]);
  return { userId: query.get('userId') ?? '', threadId: query.get('threadId') ?? '' };
}

export function echo(socket: WebSocket): void {
  socket.on('error', () => undefined);
  socket.on('message', (content, isBinary) => {
    socket.send(content, { binary: isBinary });
  });
}
