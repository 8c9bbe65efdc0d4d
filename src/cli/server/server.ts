import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { WebSocketServer } from 'ws';
import { anonymous, attach } from '../../adapters/ws.js';
import type { WebSocketConfig } from '../../config/load-config.js';
import type { Mooring } from '../../core/mooring.js';
import { createMooring } from '../../create-mooring.js';
import { fileDescriptorLimit } from '../../runtime/file-descriptor-limit.js';
import { logEvents, Sampler, type Logger } from '../../telemetry/log.js';
import { adminConnections } from './admin-server.js';
import { capConnections, type Connections } from './connection-cap.js';
import { serveDemo } from './demo-backend.js';
import { listen, motionlessMs, requestPatience, type Address } from './listening.js';
import { pathOf } from './request-target.js';
import { defaultMaxPayload } from './sizes.js';
import { routeUpgrades } from './upgrades.js';
import { readVersion } from '../version.js';

/** Where the WebSocket server listens, and what it takes. */
export interface ServerFlags extends Address {
  /** The longest message it takes, in bytes; who sends a longer one is closed 1009. @default 1 MiB */
  readonly maxPayload?: number;
}

/** A server that runs. */
export interface Serving {
  readonly url: string;
  readonly mooring: Mooring;
  /** Tells everybody to go elsewhere, and resolves once all is closed. */
  stop(): Promise<void>;
}

/** File descriptors left for what is not a connection: the listener, the log, DNS, modules. */
const sparedDescriptors = 32;

/**
 * Starts the server.
 * @throws CommandError where it cannot listen there
 */
export async function startServer(config: WebSocketConfig, flags: ServerFlags, logger: Logger): Promise<Serving> {
  // The settings are complete: no variable of the process is read a second time.
  const mooring = createMooring({ ...config, env: {} });
  const unwatch = logEvents(mooring, logger);
  const http = createServer(requestPatience, (request, response) => {
    answer(request, response, mooring);
  });
  http.setTimeout(motionlessMs);
  const server = new WebSocketServer({ noServer: true, maxPayload: flags.maxPayload ?? defaultMaxPayload });
  attach(server, { mooring, authenticate: anonymous });
  server.on('connection', serveDemo);
  const connections = liveWithinDescriptors(http, logger);
  routeUpgrades(http, connections, (request, stream, head) => {
    server.handleUpgrade(request, stream, head, (socket) => server.emit('connection', socket, request));
  });
  const place = await listen(http, flags, { port: '--port', host: '--host' });
  const stop = async (): Promise<void> => {
    await mooring.stop();
    await close(http, connections);
    unwatch();
  };
  return { url: `ws://${place}`, mooring, stop };
}

/** To the end, checks of health and newcomers were answered. Nobody who is still there is waited for. */
async function close(http: Server, connections: Connections): Promise<void> {
  const closed = once(http, 'close');
  http.close();
  connections.destroyAll();
  await closed;
}

/** Makes room, or refuses connections, while there are descriptors left, so that the process can do its other work. */
function liveWithinDescriptors(http: Server, logger: Logger): Connections {
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
  return capConnections(http, most, { whenFull });
}

function answer(request: IncomingMessage, response: ServerResponse, mooring: Mooring): void {
  if (pathOf(request) === '/healthz' && (request.method === 'GET' || request.method === 'HEAD')) {
    answerHealth(response, mooring);
    return;
  }
  // Naming a connection header takes it out of Node's hands, and with it the wish to close.
  const connection = response.shouldKeepAlive ? 'Upgrade' : 'Upgrade, close';
  response.writeHead(426, { 'content-type': 'text/plain; charset=utf-8', upgrade: 'websocket', connection });
  response.end('This is a WebSocket server: connect to /?user_id=alice&thread_id=thread_1. Its health: /healthz.\n');
}

function answerHealth(response: ServerResponse, mooring: Mooring): void {
  const status = mooring.isDraining ? 'draining' : 'ok';
  response.writeHead(mooring.isDraining ? 503 : 200, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify({ status, managers: mooring.managerCount, version: readVersion() })}\n`);
}
