import type { WebSocketServer } from 'ws';

/** The class of a server, as far as it is used here. */
type ServerClass = new (options: { noServer: true; clientTracking: false }) => unknown;

const remedy = 'Update ws to 8.5 or newer (npm install ws@8).';

/**
 * Checks that a server makes its sockets of `options.WebSocket`, without which Mooring could not manage them.
 *
 * `ws` has had the option since 8.5, with its own class as the default. If the default is missing, the server ignores the
 * option: it comes from an older `ws`, which some frameworks depend on, or from Bun.
 * @throws TypeError with what was got and what to do
 */
export function checkServer(server: unknown): asserts server is WebSocketServer {
  const name = nameOf(server);
  if (!isObject(server) || typeof server['handleUpgrade'] !== 'function' || !isObject(server['options'])) {
    throw new TypeError(`server: got ${name}, wanted the WebSocketServer of ws 8.5 or newer`);
  }
  if (takesClass(server['options']) && classTakesClass(server)) return;
  throw new TypeError(
    `server: got ${name}, which ignores options.WebSocket, as the servers of ws before 8.5 and of Bun do, so that Mooring cannot manage its connections. ${remedy}`,
  );
}

function takesClass(options: unknown): boolean {
  return isObject(options) && typeof options['WebSocket'] === 'function';
}

/**
 * The option may have been set by the application on a server that ignores it. So a fresh server is made of the class of
 * `ws`, not of a class that extends it; without a port it does nothing.
 */
function classTakesClass(server: object): boolean {
  const WsServer = classWith('completeUpgrade', server);
  if (WsServer === null) return true;
  try {
    const fresh = new WsServer({ noServer: true, clientTracking: false });
    return isObject(fresh) && takesClass(fresh['options']);
  } catch {
    return true; // It is no class of ws. If its sockets are not managed, they are closed anyway.
  }
}

/** The most basic class in the chain of prototypes that has the method. */
function classWith(method: string, server: object): ServerClass | null {
  let found: ServerClass | null = null;
  for (let at: unknown = server; isObject(at); at = Object.getPrototypeOf(at)) {
    const { constructor } = at;
    if (Object.hasOwn(at, method) && typeof constructor === 'function') found = constructor as ServerClass;
  }
  return found;
}

export function nameOf(value: unknown): string {
  if (!isObject(value)) return String(value);
  const { constructor } = value;
  return typeof constructor === 'function' ? `an instance of ${constructor.name}` : 'an object without a class';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
