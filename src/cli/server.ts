import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { WebSocketServer } from 'ws';
import { anonymous, attach } from '../adapters/ws.js';
import type { WebSocketConfig } from '../core/config.js';
import { Mooring } from '../core/mooring.js';
import { fileDescriptorLimit } from '../runtime/file-descriptor-limit.js';
import { SystemTime } from '../runtime/system-time.js';
import { logEvents, Sampler, type Logger } from '../telemetry/log.js';
import { adminConnections } from './admin-server.js';
import { serveDemo } from './demo-backend.js';
import { listen, type Address } from './listening.js';
import { readVersion } from './version.js';

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
export async function startServer(config: WebSocketConfig, address: Address, logger: Logger): Promise<Serving> {
  const mooring = new Mooring({ config, time: new SystemTime(), random: Math.random });
  const unwatch = logEvents(mooring, logger);
  const http = createServer((request, response) => {
    answer(request, response, mooring);
  });
  const server = new WebSocketServer({ noServer: true });
  attach(server, { mooring, authenticate: anonymous });
  server.on('connection', serveDemo);
  http.on('upgrade', (request, stream, head) => {
    server.handleUpgrade(request, stream, head, (socket) => server.emit('connection', socket, request));
  });
  const place = await listen(http, address, { port: '--port', host: '--host' });
  liveOnWithoutDescriptors(http, logger);
  return { url: `ws://${place}`, mooring, stop: () => stopServer(http, mooring, unwatch) };
}

async function stopServer(http: Server, mooring: Mooring, unwatch: () => void): Promise<void> {
  const closed = once(http, 'close');
  http.close();
  await mooring.stop();
  http.closeAllConnections();
  await closed;
  unwatch();
}

/** Refuses connections while there are descriptors left, so that the process can still do its other work. */
function liveOnWithoutDescriptors(http: Server, logger: Logger): void {
  const sampler = new Sampler(logger, 1);
  const descriptors = fileDescriptorLimit();
  if (descriptors !== null) http.maxConnections = Math.max(1, descriptors - sparedDescriptors - adminConnections());
  http.on('drop', () => {
    if (!sampler.admits('server.full', performance.now())) return;
    logger.error({ descriptors }, 'server.full: refusing connections; raise the limit on open files (ulimit -n)');
  });
  http.on('error', (error) => {
    if (sampler.admits('server.failed', performance.now())) logger.error({ error: error.message }, 'server.failed');
  });
}

function answer(request: IncomingMessage, response: ServerResponse, mooring: Mooring): void {
  if (request.url === '/healthz' && (request.method === 'GET' || request.method === 'HEAD')) {
    answerHealth(response, mooring);
    return;
  }
  response.writeHead(426, { 'content-type': 'text/plain; charset=utf-8', upgrade: 'websocket', connection: 'Upgrade' });
  response.end('This is a WebSocket server: connect to /?user_id=alice&thread_id=thread_1. Its health: /healthz.\n');
}

function answerHealth(response: ServerResponse, mooring: Mooring): void {
  const status = mooring.isDraining ? 'draining' : 'ok';
  response.writeHead(mooring.isDraining ? 503 : 200, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify({ status, managers: mooring.factory.managerCount, version: readVersion() })}\n`);
}
