import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterThisTest } from './setup.js';

const run = promisify(execFile);

/** Whether this machine lets us make network namespaces, as `npm test` found out. */
export const hasNamespaces = process.env['TEST_HAS_NETNS'] !== '0' && process.getuid?.() === 0;

let made = 0;

/** Which packets get lost, seen from the other side of the link. */
export type Loss = 'both ways' | 'from the client' | 'to the client';

const hooks = {
  'both ways': ['input', 'output'],
  'from the client': ['output'],
  'to the client': ['input'],
} as const satisfies Record<Loss, readonly string[]>;

/** A network namespace joined to this one by a virtual cable. It goes with the test. */
export class RemoteNetwork {
  /** The address of this side. */
  readonly address: string;
  /** The address of the other side. */
  readonly remoteAddress: string;
  /** Runs a command over there. */
  readonly wrap: readonly string[];
  readonly #name: string;
  readonly #near: string;

  constructor(number: number) {
    this.#name = `mooring-${process.pid}-${number}`;
    this.#near = `mr${process.pid}n${number}`;
    const subnet = `10.203.${(process.pid + number) % 256}`;
    this.address = `${subnet}.1`;
    this.remoteAddress = `${subnet}.2`;
    this.wrap = ['ip', 'netns', 'exec', this.#name];
  }

  async create(): Promise<void> {
    const far = `${this.#near}r`;
    await ip('netns', 'add', this.#name);
    await ip('link', 'add', this.#near, 'type', 'veth', 'peer', 'name', far, 'netns', this.#name);
    await ip('address', 'add', `${this.address}/30`, 'dev', this.#near);
    await ip('link', 'set', this.#near, 'up');
    await this.#there('ip', 'address', 'add', `${this.remoteAddress}/30`, 'dev', far);
    await this.#there('ip', 'link', 'set', far, 'up');
    await this.#there('ip', 'link', 'set', 'lo', 'up');
  }

  /** The cable first: while sockets over there linger, the kernel keeps what belongs to the namespace. */
  async remove(): Promise<void> {
    await ip('link', 'delete', this.#near);
    await ip('netns', 'delete', this.#name);
  }

  /** Packets vanish, as in a tunnel: nobody is told. */
  async lose(loss: Loss): Promise<void> {
    const chains = hooks[loss].map((hook) => `chain ${hook} { type filter hook ${hook} priority 0; policy drop; };`);
    await this.#there('nft', `table inet lost { ${chains.join(' ')} }`);
  }

  /** Packets get through again. */
  async heal(): Promise<void> {
    await this.#there('nft', 'delete table inet lost');
  }

  /** The cable is pulled. */
  async unplug(): Promise<void> {
    await ip('link', 'set', this.#near, 'down');
  }

  /** The other side's kernel forgets its connections and resets them. */
  async killSockets(): Promise<void> {
    await this.#there('ss', '--kill', 'state', 'established');
  }

  async #there(...command: string[]): Promise<void> {
    const [file = '', ...args] = [...this.wrap, ...command];
    await run(file, args);
  }
}

/** A network for one test. */
export async function remoteNetwork(): Promise<RemoteNetwork> {
  const network = new RemoteNetwork((made += 1));
  afterThisTest(() => network.remove());
  await network.create();
  return network;
}

async function ip(...args: string[]): Promise<void> {
  await run('ip', args);
}
