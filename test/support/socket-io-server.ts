import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { Server, type ServerOptions, type Socket } from 'socket.io';
import { io as connectTo, type ManagerOptions, type Socket as Client, type SocketOptions } from 'socket.io-client';
import { expect } from 'vitest';
import { attach, type AttachOptions } from '../../src/adapters/socket-io.js';
import { reconnectWhenTold, type CloseExplanation } from '../../src/client/index.js';
import {
  createMooring,
  type Mooring,
  type MooringEvent,
  type MooringEventName,
  type MooringOptions,
} from '../../src/index.js';
import { afterThisTest } from './setup.js';

/** Transports of a client: one, or an upgrade from polling to WebSocket. */
export type Way = 'websocket' | 'polling' | 'upgrade';
export const ways: readonly Way[] = ['websocket', 'polling', 'upgrade'];

export type ClientOptions = Partial<ManagerOptions & SocketOptions> & {
  readonly way?: Way;
  readonly namespace?: string;
};

type RequestOptions = Omit<Extract<AttachOptions, { readonly at: 'request' }>, 'mooring'>;
type ConnectOptions = Exclude<AttachOptions, { readonly at: 'request' }>;

export interface SocketIoServerOptions extends MooringOptions {
  readonly io?: Partial<ServerOptions>;
  readonly attach?: Partial<ConnectOptions> | RequestOptions;
  readonly shared?: Mooring;
  /** Called before `attach`. */
  readonly before?: (io: Server) => void;
}

export interface HelpedClient {
  readonly client: Client;
  readonly told: readonly CloseExplanation[];
}

/** A real Socket.IO server with a Mooring, in this process. */
export class SocketIoServer {
  readonly http = createServer();
  readonly io: Server;
  readonly mooring: Mooring;
  readonly events: MooringEvent[] = [];
  readonly detach: () => void;
  readonly #clients: Client[] = [];

  constructor({ io = {}, attach: more = {}, before, shared, ...options }: SocketIoServerOptions) {
    this.mooring = shared ?? createMooring({ environment: 'production', env: {}, ...options });
    this.mooring.events.onAny((event) => this.events.push(event));
    this.io = new Server(this.http, io);
    before?.(this.io);
    this.detach = attach(this.io, { mooring: this.mooring, authenticate: whoIs, ...more });
    this.io.on('connection', (socket) => {
      socket.on('echo', (text: string, answer: (text: string) => void) => {
        answer(text);
      });
    });
  }

  /** Of its last HTTP server. */
  get url(): string {
    const { httpServer } = this.io;
    return `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`;
  }

  /** A client, which connects; unlike others it does not share its session with those of the same URL. */
  client(userId: string, thread: string | number, options: ClientOptions = {}): Client {
    const { way = 'websocket', namespace = '/', ...more } = options;
    const client = connectTo(this.url + namespace, {
      forceNew: true,
      auth: { userId, threadId: `thread_${thread}` },
      query: { userId, threadId: `thread_${thread}` },
      transports: way === 'upgrade' ? ['polling', 'websocket'] : [way],
      ...more,
    });
    this.#clients.push(client);
    return client;
  }

  async connected(userId: string, thread: string | number, options: ClientOptions = {}): Promise<Client> {
    const client = this.client(userId, thread, options);
    await joined(client);
    if (options.way === 'upgrade') await expect.poll(() => client.io.engine.transport.name).toBe('websocket');
    return client;
  }

  /** A client with `reconnectWhenTold`, and what it was told. */
  helped(userId: string, thread: string | number, options: ClientOptions = {}): HelpedClient {
    const client = this.client(userId, thread, { ...options, autoConnect: false });
    const told: CloseExplanation[] = [];
    afterThisTest(reconnectWhenTold(client, { onTold: (explanation) => told.push(explanation) }));
    client.connect();
    return { client, told };
  }

  async helpedAndConnected(userId: string, thread: string | number): Promise<HelpedClient> {
    const helped = this.helped(userId, thread);
    await joined(helped.client);
    return helped;
  }

  said<Name extends MooringEventName>(name: Name): MooringEvent<Name>[] {
    return this.events.filter((event) => event.type === name) as unknown[] as MooringEvent<Name>[];
  }

  /** The sockets that the server has of a user, in all namespaces. */
  sockets(userId: string): Socket[] {
    return [...this.io._nsps.values()].flatMap((namespace) =>
      [...namespace.sockets.values()].filter(({ handshake }) => handshake.query['userId'] === userId),
    );
  }

  /** CONNECTs that Socket.IO still remembers as unanswered. */
  get unanswered(): number {
    const waiting = Reflect.get(this.io.sockets, '_preConnectSockets') as ReadonlyMap<string, Socket> | undefined;
    return waiting?.size ?? 0;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.disconnect();
    const stopped = this.mooring.stop();
    await this.io.close();
    await stopped;
    expect(this.mooring.managerCount).toBe(0);
    expect(this.mooring.closingCount).toBe(0);
  }
}

/** Who is in `auth`, else in the query. */
export function whoIs({ handshake }: Socket): { userId: string; threadId: string } {
  const { userId, threadId } = { ...handshake.query, ...handshake.auth } as { userId: string; threadId: string };
  return { userId, threadId };
}

export async function joined(client: Client): Promise<void> {
  if (client.connected) return;
  await new Promise<void>((resolve, reject) => {
    client.once('connect', resolve);
    client.once('connect_error', reject);
  });
}

/** What the client hears of a refusal or the end: `connect_error <message>` or `disconnect <reason>`. */
export function endOf(client: Client): Promise<string> {
  return new Promise((resolve) => {
    client.once('connect_error', (error) => resolve(`connect_error ${error.message}`));
    client.once('disconnect', (reason) => resolve(`disconnect ${reason}`));
  });
}

/** A server on a free port; stopped after the test, with nothing left. */
export async function socketIoServer(options: SocketIoServerOptions = {}): Promise<SocketIoServer> {
  const server = new SocketIoServer(options);
  server.http.listen(0, '127.0.0.1');
  await once(server.http, 'listening');
  afterThisTest(() => server.stop());
  return server;
}
