import { randomUUID } from 'node:crypto';
import { seeded, shuffled } from './support/numbers.js';
import { messageOf, RawClient, type Target } from './support/raw-client.js';
import { serveCalls } from './support/worker.js';

export type Protocol = 'ws' | 'socket.io';

const protocol = (process.argv[2] ?? 'ws') as Protocol;

/** The messages: JSON, as most applications send it, and text that begins with a letter no keepalive begins with. */
const messages = {
  ws: {
    json: messageOf('{"type":"message","room":"general","text":"See you at eight"}'),
    text: messageOf('message general See you at eight, at the usual place, in rain'),
  },
  'socket.io': {
    json: messageOf('42["message",{"room":"general","text":"See you at eight"}]'),
    text: messageOf('42["message","See you at eight, at the usual place, in rain"]'),
  },
};

export type MessageKind = keyof (typeof messages)[Protocol];

export interface OpenOrder {
  readonly port: number;
  readonly connections: number;
}

export interface EchoOrder {
  readonly port: number;
  readonly message: MessageKind;
  /** Echoes of each connection, one after the other. */
  readonly each: number;
}

export interface ChurnOrder {
  readonly port: number;
  readonly connects: number;
}

export interface ClientCalls {
  /** Opens connections and keeps them. */
  open(order: OpenOrder): Promise<void>;
  /** All open connections to this server echo at the same time. */
  echo(order: EchoOrder): Promise<void>;
  /** Opens connections and closes each as soon as it is open. @returns the milliseconds until the last is closed */
  churn(order: ChurnOrder): Promise<number>;
}

/** How many connections open or close at the same time. */
const atOnce = 64;

/** Several local addresses, since each has a limited number of ports. */
const addresses = process.platform === 'linux' ? 16 : 1;

const maxThreads = 20;

const pathStart = protocol === 'ws' ? '/?' : '/socket.io/?EIO=4&transport=websocket&';

/** Open connections by port. */
const crowds = new Map<number, RawClient[]>();

/** How many echoes of which message each connection still waits for. */
const wanted = new Map<RawClient, number>();
let message = messages[protocol].json;
let whenEchoed: (() => void) | null = null;

serveCalls<ClientCalls>({
  async open({ port, connections }) {
    const crowd: RawClient[] = [];
    crowds.set(port, crowd);
    await eachOf(targetsOf(port, connections), (target, done) => {
      const opened = (client: RawClient): void => {
        crowd.push(client);
        done();
      };
      if (protocol === 'ws') new RawClient(target, { opened, echoed });
      else new RawClient(target, { opened: () => undefined, echoed, other: joining(opened) });
    });
  },

  echo({ port, message: kind, each }) {
    const crowd = crowds.get(port) ?? [];
    if (crowd.length === 0) throw new Error('nobody is connected');
    return new Promise((resolve) => {
      whenEchoed = resolve;
      message = messages[protocol][kind];
      for (const client of crowd) wanted.set(client, each);
      for (const client of crowd) client.send(message);
    });
  },

  async churn({ port, connects }) {
    const targets = targetsOf(port, connects);
    const startedAt = performance.now();
    await eachOf(targets, (target, closed) => {
      new RawClient(target, { opened: (client) => client.close(), closed });
    });
    return performance.now() - startedAt;
  },
});

/** Joins the main namespace once Engine.IO has opened the session, and answers the pings of Engine.IO. */
function joining(joined: (client: RawClient) => void) {
  return (client: RawClient, text: string): void => {
    if (text.startsWith('0')) client.say('40');
    else if (text.startsWith('40')) joined(client);
    else if (text === '2') client.say('3');
    else throw new Error(`not expected: ${text}`);
  };
}

function echoed(client: RawClient): void {
  const left = (wanted.get(client) ?? 0) - 1;
  if (left > 0) {
    wanted.set(client, left);
    client.send(message);
    return;
  }
  if (!wanted.delete(client)) throw new Error('an echo nobody asked for');
  if (wanted.size === 0) whenEchoed?.();
}

/** New users: the first with one thread, the next with two, up to 20; shuffled. */
function targetsOf(port: number, count: number): Target[] {
  const targets: Target[] = [];
  for (let user = 0; targets.length < count; user++) {
    const userId = randomUUID();
    for (let thread = 0; thread <= user % maxThreads && targets.length < count; thread++) {
      const path = `${pathStart}user_id=${userId}&thread_id=thread_${randomUUID()}`;
      targets.push({ port, path, localAddress: `127.0.0.${1 + (targets.length % addresses)}` });
    }
  }
  return shuffled(targets, seeded(count));
}

/** Starts the first tasks, and another whenever one is done. */
function eachOf(targets: readonly Target[], begin: (target: Target, done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    let next = 0;
    let left = targets.length;
    const go = (): void => {
      const target = targets[next++];
      if (target !== undefined) begin(target, done);
    };
    const done = (): void => {
      left -= 1;
      if (left === 0) resolve();
      else go();
    };
    for (let index = 0; index < atOnce; index++) go();
  });
}
