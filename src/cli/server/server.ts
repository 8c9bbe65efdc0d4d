import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { WebSocketServer } from 'ws';
import { anonymous, attach } from '../../adapters/ws.js';
import type { WebSocketConfig } from '../../config/load-config.js';
import type { Mooring } from '../../core/mooring.js';
import { createMooring } from '../../create-mooring.js';
import { fileDescriptorLimit } from '../../runtime/file-descriptor-limit.js';
import { logEvents, Sampler, type Logger } from '../../telemetry/log.js';
import { readVersion } from '../version.js';
import { adminConnections } from './admin-server.js';
import { capConnections, type Connections } from './connection-cap.js';
import { serveDemo } from './demo-backend.js';
import { defaultMaxPayload } from './defaults.js';
import { listen, requestTimeouts, socketTimeoutMs, type Address } from './listening.js';
import { sharedQuota, type RedisFlags } from './redis-quota.js';
import { pathOf } from './request-target.js';
import { routeUpgrades } from './upgrades.js';

/** The flags of the WebSocket server. */
export interface ServerFlags extends Address, RedisFlags {
  /** The longest message it takes, in bytes; a longer one closes its connection with 1009. @default 1 MiB */
  readonly maxPayload?: number;
}

/** A running WebSocket server. */
export interface RunningServer {
  readonly url: string;
  readonly mooring: Mooring;
  /** Closes every connection, and resolves once all is closed. */
  stop(): Promise<void>;
}

/** File descriptors for everything but connections: the listener, the log, DNS, modules. */
const sparedDescriptors = 32;

/** Starts the WebSocket server. @throws CommandError if it cannot listen, or not use `--redis` */
export async function startServer(config: WebSocketConfig, flags: ServerFlags, logger: Logger): Promise<RunningServer> {
  const ledger = await sharedQuota(flags, logger);
  // The settings are complete: the environment variables must not be read a second time.
  const mooring = createMooring({ ...config, env: {}, ledger });
  const unwatch = logEvents(mooring, logger);
  const http = createServer(requestTimeouts, (request, response) => answer(request, response, mooring));
  http.setTimeout(socketTimeoutMs);
  const server = new WebSocketServer({ noServer: true, maxPayload: flags.maxPayload ?? defaultMaxPayload });
  attach(server, { mooring, authenticate: anonymous });
  server.on('connection', serveDemo);
  const connections = capByDescriptors(http, logger);
  routeUpgrades(http, connections, (request, stream, head) =>
    server.handleUpgrade(request, stream, head, (socket) => server.emit('connection', socket, request)),
  );
  const place = await listen(http, flags, { port: '--port', host: '--host' });
  const stop = async (): Promise<void> => {
    await mooring.stop();
    await close(http, connections);
    unwatch();
  };
  return { url: `ws://${place}`, mooring, stop };
}

/** Health checks and newcomers were answered until now; connections that are still open are not waited for. */
async function close(http: Server, connections: Connections): Promise<void> {
  const closed = once(http, 'close');
  http.close();
  connections.destroyAll();
  await closed;
}

/** Limits the connections so that file descriptors are left for the other work of the process. */
function capByDescriptors(http: Server, logger: Logger): Connections {
  const sampler = new Sampler(logger, 1);
  const descriptors = fileDescriptorLimit();
  const most = descriptors === null ? Infinity : Math.max(1, descriptors - sparedDescriptors - adminConnections());
  const whenFull = (): void => {
    if (sampler.admits('server.full', performance.now()))
      logger.error(
        { descriptors },
        'server.full: for each new connection the least useful one is closed; raise the limit on open files (ulimit -n)',
      );
  };
  http.on('error', (error) => {
    if (sampler.admits('server.failed', performance.now())) logger.error({ error: error.message }, 'server.failed');
  });
  return capConnections(http, most, whenFull);
}

/** The URL of one connection, for people who try the server. */
export function exampleOf(url: string, { threadIdPrefix }: Pick<WebSocketConfig, 'threadIdPrefix'>): string {
  return `${url}/?user_id=alice&thread_id=${encodeURIComponent(threadIdPrefix)}1`;
}

function answer(request: IncomingMessage, response: ServerResponse, mooring: Mooring): void {
  if (pathOf(request) === '/healthz' && (request.method === 'GET' || request.method === 'HEAD')) {
    const status = mooring.isDraining ? 'draining' : 'ok';
    response.writeHead(mooring.isDraining ? 503 : 200, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify({ status, managers: mooring.managerCount, version: readVersion() })}\n`);
    return;
  }
  // With an own Connection header Node no longer adds the client's wish to close.
  const connection = response.shouldKeepAlive ? 'Upgrade' : 'Upgrade, close';
  response.writeHead(426, { 'content-type': 'text/plain; charset=utf-8', upgrade: 'websocket', connection });
  response.end(`This is a WebSocket server: connect to ${exampleOf('', mooring.config)}. Its health: /healthz.\n`);
}
