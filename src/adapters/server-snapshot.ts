import type { WebSocketServer } from 'ws';

type Options = Record<string, unknown>;

/** A `headers` listener, or what Node has wrapped around one that is to be called once. */
type Listener = (...args: unknown[]) => void;

/**
 * What a caller of `handleUpgrade` had put in place for its call: the server's options and its `headers` listeners.
 *
 * Why: frameworks set an option or add a listener, call, and undo it, since `ws` does everything within the call. When
 * the handshake has to wait for authentication, all of that is undone before `ws` runs.
 */
export class ServerSnapshot {
  readonly #server: WebSocketServer;
  readonly #options: Options;
  readonly #values: Options;
  readonly #listeners: readonly Listener[];

  /** Notes what is in place now. Listeners for one handshake are this call's, and no other handshake's, from now on. */
  constructor(server: WebSocketServer) {
    this.#server = server;
    this.#options = optionsOf(server);
    this.#values = { ...this.#options };
    this.#listeners = headersListeners(server);
    for (const listener of this.#listeners) if (isOnce(listener)) server.off('headers', listener);
  }

  /**
   * Runs `act` with what was noted in place, and puts back what is in place now, changes that `act` made included.
   * @param apartFrom an option that stays as it is now
   */
  run(act: () => void, apartFrom: string | null = null): void {
    const putBackOptions = this.#putOptions(apartFrom);
    const putBackListeners = this.#putListeners();
    try {
      act();
    } finally {
      putBackListeners();
      putBackOptions();
    }
  }

  #putOptions(apartFrom: string | null): () => void {
    const [server, options, values] = [this.#server, this.#options, this.#values];
    const optionsNow = optionsOf(server);
    const changed = [...new Set([...Object.keys(values), ...Object.keys(options)])].filter(
      (name) => name !== apartFrom && options[name] !== values[name],
    );
    const valuesNow = { ...options };
    setOptions(server, options);
    for (const name of changed) put(options, name, values);
    return () => {
      for (const name of changed) if (options[name] === values[name]) put(options, name, valuesNow);
      if (optionsOf(server) === options) setOptions(server, optionsNow);
    };
  }

  #putListeners(): () => void {
    const [server, then] = [this.#server, this.#listeners];
    const now = headersListeners(server);
    if (isSameList(now, then)) return nothingToPutBack;
    setHeadersListeners(server, then);
    return () => {
      const after = headersListeners(server);
      const gone = new Set(then.filter((listener) => !after.includes(listener)));
      const added = after.filter((listener) => !then.includes(listener) || isOnce(listener));
      setHeadersListeners(server, [...now.filter((listener) => !gone.has(listener)), ...added]);
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

function put(options: Options, name: string, values: Options): void {
  if (Object.hasOwn(values, name)) options[name] = values[name];
  else Reflect.deleteProperty(options, name);
}

function headersListeners(server: WebSocketServer): Listener[] {
  return server.rawListeners('headers') as Listener[];
}

function setHeadersListeners(server: WebSocketServer, listeners: readonly Listener[]): void {
  server.removeAllListeners('headers');
  for (const listener of listeners) server.on('headers', listener);
}

/** Node keeps a listener that is to be called once in a function with a reference to it. */
function isOnce(listener: Listener): boolean {
  return 'listener' in listener;
}

function isSameList(some: readonly unknown[], others: readonly unknown[]): boolean {
  return some.length === others.length && some.every((one, index) => one === others[index]);
}
