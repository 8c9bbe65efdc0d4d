import { fork, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { afterThisTest } from './setup.js';

/** How a client behaves; all answer pings unless told otherwise. */
export interface ClientOptions {
  /** Sends `{"type":"ping"}` this often, as clients do to keep proxies from closing them. */
  readonly keepaliveEveryMs?: number;
  /** Sends a message of its user's this often. */
  readonly chatterEveryMs?: number;
  /** How many pings are left unanswered first; Infinity does not survive JSON, so a large number stands for all. */
  readonly pongsToSkip?: number;
  readonly localAddress?: string;
  readonly protocols?: readonly string[];
}

/** What the process is told, one or many at a time: those of one message are carried out in one turn of its loop. */
export type CrowdOrder =
  | ({ readonly do: 'connect'; readonly id: number; readonly url: string } & ClientOptions & {
        readonly protocols?: string[];
      })
  | { readonly do: 'send'; readonly id: number; readonly text: string }
  | { readonly do: 'close'; readonly id: number; readonly code?: number }
  | { readonly do: 'terminate'; readonly id: number };

/** What the process tells. */
export type CrowdReport =
  | { readonly id: number; readonly what: 'ready' | 'open' | 'ping' }
  | { readonly id: number; readonly what: 'message'; readonly bytes: number; readonly text: string }
  | { readonly id: number; readonly what: 'error'; readonly message: string }
  | { readonly id: number; readonly what: 'close'; readonly code: number; readonly reason: string };

/** How a connection ended. */
export interface Ended {
  readonly code: number;
  readonly reason: string;
}

/** A client of another process, as far as that process has told. */
export class CrowdClient extends EventEmitter {
  readonly id: number;
  readonly url: string;
  readonly #order: (order: CrowdOrder) => void;
  isOpen = false;
  ended: Ended | null = null;
  pings = 0;
  bytes = 0;
  readonly texts: string[] = [];

  constructor(id: number, url: string, order: (order: CrowdOrder) => void) {
    super();
    this.id = id;
    this.url = url;
    this.#order = order;
  }

  /** Open, or ended before it was. */
  async settled(): Promise<this> {
    while (!this.isOpen && this.ended === null) await once(this, 'change');
    return this;
  }

  async end(): Promise<Ended> {
    while (this.ended === null) await once(this, 'change');
    return this.ended;
  }

  /** The next message after those seen so far. */
  async reply(): Promise<string> {
    const before = this.texts.length;
    while (this.texts.length === before && this.ended === null) await once(this, 'change');
    const text = this.texts[before];
    if (text === undefined) throw new Error(`ended ${JSON.stringify(this.ended)} before it was answered`);
    return text;
  }

  /** Resolves once the client has had so many bytes of messages, or has ended. */
  async received(bytes: number): Promise<void> {
    while (this.bytes < bytes && this.ended === null) await once(this, 'change');
  }

  send(text: string): void {
    this.#order({ do: 'send', id: this.id, text });
  }

  close(code = 1000): void {
    this.#order({ do: 'close', id: this.id, code });
  }

  terminate(): void {
    this.#order({ do: 'terminate', id: this.id });
  }

  note(report: CrowdReport): void {
    if (report.what === 'open') this.isOpen = true;
    else if (report.what === 'ping') this.pings += 1;
    else if (report.what === 'close') {
      this.isOpen = false;
      this.ended = { code: report.code, reason: report.reason };
    } else if (report.what === 'message') {
      this.bytes += report.bytes;
      this.texts.push(report.text);
    }
    this.emit('change');
  }
}

/** Clients in a process of their own. It ends with the test. */
export class Crowd {
  readonly #child: ChildProcess;
  readonly clients: CrowdClient[] = [];

  constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (report: CrowdReport) => {
      if (report.what !== 'ready') this.clients[report.id - 1]?.note(report);
    });
  }

  connect(url: string, options: ClientOptions = {}): CrowdClient {
    const client = this.#add(url);
    this.#order(connectOrder(client, options));
    return client;
  }

  /** All connect in one turn of the process's loop; waits until each is open or refused. */
  async settleTogether(arrivals: readonly ({ readonly url: string } & ClientOptions)[]): Promise<CrowdClient[]> {
    const orders = arrivals.map(({ url, ...options }) => {
      const client = this.#add(url);
      return { client, order: connectOrder(client, options) };
    });
    this.#order(...orders.map(({ order }) => order));
    return Promise.all(orders.map(({ client }) => client.settled()));
  }

  /** Connects, and waits until open or refused. */
  settle(url: string, options?: ClientOptions): Promise<CrowdClient> {
    return this.connect(url, options).settled();
  }

  /** One client after another, one for each address. */
  async settleAll(urls: readonly string[], options?: ClientOptions): Promise<CrowdClient[]> {
    const settled: CrowdClient[] = [];
    for (const url of urls) settled.push(await this.settle(url, options));
    return settled;
  }

  /** The process stops where it stands, as a phone does whose screen goes dark; its sockets stay open. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #add(url: string): CrowdClient {
    const client = new CrowdClient(this.clients.length + 1, url, (order) => {
      this.#order(order);
    });
    this.clients.push(client);
    return client;
  }

  #order(...orders: CrowdOrder[]): void {
    this.#child.send(orders, () => undefined);
  }
}

function connectOrder({ id, url }: CrowdClient, { protocols = [], ...options }: ClientOptions): CrowdOrder {
  return { do: 'connect', id, url, protocols: [...protocols], ...options };
}

/** Starts a process for clients. @param wrap a command that runs it, e.g. `['ip', 'netns', 'exec', name]` */
export async function startCrowd(wrap: readonly string[] = []): Promise<Crowd> {
  const file = join(import.meta.dirname, 'crowd-process.mjs');
  const [execPath = process.execPath, ...execArgv] = wrap.length > 0 ? [...wrap, process.execPath] : [];
  const child = fork(file, [], { execPath, execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  afterThisTest(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  });
  await once(child, 'message');
  return new Crowd(child);
}
