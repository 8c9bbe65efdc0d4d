import type { WebSocketServer } from 'ws';

type Options = Record<string, unknown>;

/** A `headers` listener, or the function that Node wraps around one for `once`. */
type Listener = (...args: unknown[]) => void;

/**
 * The options and the `headers` listeners of a server, as they were when `handleUpgrade` was called.
 *
 * Why: frameworks set an option or add a listener, call `handleUpgrade`, and undo the change, since `ws` does everything
 * within the call. When the handshake comes later, after authentication, the change is undone before `ws` runs.
 */
export class ServerSnapshot {
  readonly #server: WebSocketServer;
  readonly #options: Options;
  readonly #values: Options;
  readonly #listeners: readonly Listener[];

  /** Takes the snapshot. Listeners added with `once` are removed from the server: they are for this handshake only. */
  constructor(server: WebSocketServer) {
    this.#server = server;
    this.#options = optionsOf(server);
    this.#values = { ...this.#options };
    this.#listeners = headersListeners(server);
    for (const listener of this.#listeners) if (isOnce(listener)) server.off('headers', listener);
  }

  /**
   * Calls `act` with the server as in the snapshot. Afterwards the server is as before the call, except for changes that
   * `act` made.
   * @param except an option that is not taken from the snapshot
   */
  run(act: () => void, except: string | null = null): void {
    const putBackOptions = this.#setOptions(except);
    const putBackListeners = this.#setListeners();
    try {
      act();
    } finally {
      putBackListeners();
      putBackOptions();
    }
  }

  #setOptions(except: string | null): () => void {
    const server = this.#server;
    const options = this.#options;
    const values = this.#values;
    const optionsNow = optionsOf(server);
    const changed = [...new Set([...Object.keys(values), ...Object.keys(options)])].filter(
      (name) => name !== except && options[name] !== values[name],
    );
    const valuesNow = { ...options };
    setOptions(server, options);
    for (const name of changed) copyOption(name, values, options);
    return () => {
      for (const name of changed) if (options[name] === values[name]) copyOption(name, valuesNow, options);
      if (optionsOf(server) === options) setOptions(server, optionsNow);
    };
  }

  #setListeners(): () => void {
    const server = this.#server;
    const then = this.#listeners;
    const now = headersListeners(server);
    if (isSameList(now, then)) return nothingToPutBack;
    setHeadersListeners(server, then);
    return () => {
      const after = headersListeners(server);
      const removed = new Set(then.filter((listener) => !after.includes(listener)));
      const added = after.filter((listener) => !then.includes(listener) || isOnce(listener));
      setHeadersListeners(server, [...now.filter((listener) => !removed.has(listener)), ...added]);
    };
  }
}

const nothingToPutBack = (): void => undefined;

function optionsOf(server: WebSocketServer): Options {
  return server.options as unknown as Options;
}

function setOptions(server: WebSocketServer, options: Options): void {
  if (optionsOf(server) !== options) server.options = options;
}

function copyOption(name: string, from: Options, to: Options): void {
  if (Object.hasOwn(from, name)) to[name] = from[name];
  else Reflect.deleteProperty(to, name);
}

function headersListeners(server: WebSocketServer): Listener[] {
  return server.rawListeners('headers') as Listener[];
}

function setHeadersListeners(server: WebSocketServer, listeners: readonly Listener[]): void {
  server.removeAllListeners('headers');
  for (const listener of listeners) server.on('headers', listener);
}

/** Node wraps a listener added with `once` in a function that refers to it. */
function isOnce(listener: Listener): boolean {
  return 'listener' in listener;
}

function isSameList(some: readonly unknown[], others: readonly unknown[]): boolean {
  return some.length === others.length && some.every((one, index) => one === others[index]);
}
