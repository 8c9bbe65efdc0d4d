import { describe } from '../core/errors.js';
import { withResolver } from '../core/promises.js';
import { RedisError } from './redis-errors.js';
import type { Reply } from './replies.js';
import { readScripts, scriptNames } from './scripts.js';
import type { ScriptCall, ScriptClient } from './script-client.js';

/** What clients tell of their connection. */
interface Emitter {
  on(event: string, listener: (...details: unknown[]) => void): unknown;
}

/** What Mooring needs of a client of the package `redis`, version 5 or 6. */
export interface NodeRedisClient extends Emitter {
  duplicate(): NodeRedisClient;
  connect(): Promise<unknown>;
  destroy(): void;
  scriptLoad(text: string): Promise<unknown>;
  evalSha(sha1: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  info(): Promise<unknown>;
}

/** What Mooring needs of a client of the package `ioredis`, version 5 or 6. */
export interface IoRedisClient extends Emitter {
  readonly options: { readonly keyPrefix?: string | undefined };
  duplicate(): IoRedisClient;
  disconnect(): void;
  script(subcommand: 'LOAD', text: string): Promise<unknown>;
  evalsha(sha1: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>;
  info(): Promise<unknown>;
}

/** A client of the package `redis` or `ioredis`. Only its options are used: Mooring makes a connection of its own. */
export type RedisClient = NodeRedisClient | IoRedisClient;

/** The same, whatever the package. */
interface Commands {
  connect(): void;
  load(text: string): Promise<unknown>;
  evalSha(sha1: string, keys: readonly string[], values: readonly string[]): Promise<unknown>;
  /** INFO. */
  info(): Promise<unknown>;
  destroy(): void;
}

const sources = readScripts();

/**
 * A connection of its own, with the options of the given client. It can be left for a new one at any time, which the
 * application's connection cannot.
 */
export class OwnConnection implements ScriptClient {
  readonly #client: RedisClient;
  readonly #onReady: () => void;
  #wasReady = false;
  #current: Connection;

  /** @param onReady called each time when a connection can be used */
  constructor(client: RedisClient, onReady: () => void) {
    this.#client = client;
    this.#onReady = () => {
      this.#wasReady = true;
      onReady();
    };
    this.#current = new Connection(this.#client, this.#onReady);
  }

  /** Until there has been a connection, silence means that there is none: so it is with TLS to a port without it. */
  get trouble(): unknown {
    return this.#current.trouble ?? (this.#wasReady ? null : new RedisError('notConnected', ''));
  }

  send(call: ScriptCall, isWanted: () => boolean): Promise<Reply> {
    return this.#current.send(call, isWanted);
  }

  reconnect(): void {
    const { trouble } = this.#current;
    this.#current.close();
    this.#current = new Connection(this.#client, this.#onReady);
    this.#current.trouble = trouble;
  }

  /** What INFO says. */
  async info(): Promise<string> {
    return String(await this.#current.info());
  }

  close(): Promise<void> {
    this.#current.close();
    return Promise.resolve();
  }
}

/** Redis before this version has no script that may call every command that ours do. */
const oldestVersion = 7;

class Connection {
  readonly #commands: Commands;
  readonly #onReady: () => void;
  trouble: unknown = null;
  /** Resolves when it is connected, and has the scripts. */
  #ready = withResolver<undefined>();
  #isReady = false;
  #isClosed = false;

  constructor(client: RedisClient, onReady: () => void) {
    this.#onReady = onReady;
    const own = client.duplicate();
    this.#commands = 'evalSha' in own ? ofNodeRedis(own, this.#failed) : ofIoRedis(own);
    own.on('error', this.#failed);
    own.on('ready', () => {
      void this.#prepare();
    });
    for (const event of ['close', 'end', 'reconnecting']) {
      own.on(event, () => {
        this.#leftReady();
      });
    }
    this.#commands.connect();
  }

  async send({ name, keys, arguments: values }: ScriptCall, isWanted: () => boolean): Promise<Reply> {
    const { sha1, text } = sources[name];
    for (;;) {
      await this.#ready.promise;
      if (!isWanted()) throw new RedisError('notConnected', '');
      try {
        return (await this.#commands.evalSha(sha1, keys, values)) as Reply;
      } catch (error) {
        // Redis has forgotten its scripts, as after SCRIPT FLUSH.
        if (!isNoScript(error) || !isWanted()) throw error;
        await this.#commands.load(text);
        if (!isWanted()) throw error;
      }
    }
  }

  info(): Promise<unknown> {
    return this.#commands.info();
  }

  close(): void {
    this.#isClosed = true;
    this.#leftReady();
    this.#commands.destroy();
  }

  async #prepare(): Promise<void> {
    try {
      await checkVersion(this.#commands);
      await Promise.all(scriptNames.map((name) => this.#commands.load(sources[name].text)));
    } catch (error) {
      this.#failed(error);
      return;
    }
    if (this.#isClosed) return;
    this.trouble = null;
    this.#isReady = true;
    this.#ready.resolve(undefined);
    this.#onReady();
  }

  #leftReady(): void {
    if (this.#isReady) this.#ready = withResolver();
    this.#isReady = false;
  }

  readonly #failed = (error: unknown): void => {
    this.trouble = error;
  };
}

function isNoScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

/** @throws RedisError */
async function checkVersion(commands: Commands): Promise<void> {
  const info = String(await commands.info());
  const version = /redis_version:([^\s]+)/.exec(info)?.[1];
  if (version === undefined || Number.parseInt(version, 10) >= oldestVersion) return;
  throw new RedisError('tooOld', `it is ${version}`);
}

function ofNodeRedis(client: NodeRedisClient, onFailed: (error: unknown) => void): Commands {
  return {
    connect: () => {
      client.connect().catch(onFailed);
    },
    load: (text) => client.scriptLoad(text),
    evalSha: (sha1, keys, values) => client.evalSha(sha1, { keys: [...keys], arguments: [...values] }),
    info: () => client.info(),
    destroy: () => {
      try {
        client.destroy();
      } catch {
        // It was not open.
      }
    },
  };
}

function ofIoRedis(client: IoRedisClient): Commands {
  return {
    // A client that connects only when it is used does so now.
    connect: () => {
      client.info().catch(() => undefined);
    },
    load: (text) => client.script('LOAD', text),
    evalSha: (sha1, keys, values) => client.evalsha(sha1, keys.length, ...keys, ...values),
    info: () => client.info(),
    destroy: () => {
      client.disconnect();
    },
  };
}

/** @throws TypeError if it is no client of either package, or one that puts a prefix before keys */
export function checkClient(client: unknown): void {
  const wanted = 'wanted a client of the package redis or ioredis, version 5 or 6';
  if (typeof client !== 'object' || client === null || !('duplicate' in client)) {
    throw new TypeError(`redisLedger: got ${describe(client)}, ${wanted}`);
  }
  if (!('evalSha' in client) && !('evalsha' in client))
    throw new TypeError(`redisLedger: got another client, ${wanted}`);
  const prefix = 'evalSha' in client ? undefined : (client as IoRedisClient).options.keyPrefix;
  if (prefix === undefined || prefix === '') return;
  throw new TypeError(
    `redisLedger: the client puts keyPrefix "${prefix}" before keys, which hides them from scripts; give redisLedger its option prefix instead`,
  );
}
