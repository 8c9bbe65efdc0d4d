import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { until } from './wait.mjs';

/** One client: what it saw so far. */
export class Client {
  isIn = false;
  /** @type {import('./types.js').Ending | null} */
  ending = null;
  close = () => {};

  /** @param {string} name */
  constructor(name) {
    this.name = name;
  }

  async comesIn(withinMs = 8_000) {
    const isSettled = () => this.isIn || this.ending !== null;
    await until(isSettled, `${this.name} gets in`, withinMs);
    if (this.ending !== null) throw new Error(`${this.name} ended: ${JSON.stringify(this.ending)}`);
  }

  async ends() {
    await until(() => this.ending !== null, `${this.name} ends`);
    return /** @type {import('./types.js').Ending} */ (this.ending);
  }
}

/** A process with clients of a stack. */
export class ClientProcess {
  /** @type {Client[]} */
  #clients = [];
  #child;
  #port;
  #stack;
  #whenReady;
  #whenGone;

  /** @param {import('./types.js').Stack} stack @param {number} port */
  constructor(stack, port) {
    this.#stack = stack;
    this.#port = port;
    this.#child = fork(join(import.meta.dirname, 'client-process.mjs'), [stack.client]);
    this.#child.on('message', (message) => this.#heard(message));
    this.#whenReady = once(this.#child, 'message');
    this.#whenGone = once(this.#child, 'exit');
  }

  /** @param {string} user @param {number} thread @param {string} way */
  async connect(user, thread, way) {
    await this.#whenReady;
    const client = new Client(`${user}/${thread} over ${way}`);
    const id = this.#clients.push(client) - 1;
    const { path = '/' } = this.#stack;
    this.#child.send({ id, task: { port: this.#port, path, way, user, thread: String(thread) } });
    client.close = () => this.#child.send({ id });
    return client;
  }

  freeze() {
    this.#child.kill('SIGSTOP');
  }

  async end() {
    this.#child.kill('SIGKILL');
    await this.#whenGone;
  }

  /** @param {unknown} message */
  #heard(message) {
    const { id, what, ending } = /** @type {import('./types.js').ClientReport} */ (message);
    const client = this.#clients[id];
    if (client === undefined) return;
    if (what === 'in') client.isIn = true;
    if (what === 'end') client.ending ??= ending;
  }
}
