import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Option, type Command } from 'commander';
import { WebSocketServer } from 'ws';
import { attach } from '../adapters/ws.js';
import type { LoadedConfig } from '../core/config.js';
import type { ContextFields } from '../core/identity/user-execution-context.js';
import { Mooring } from '../core/mooring.js';
import { fileDescriptorLimit } from '../runtime/file-descriptor-limit.js';
import { SystemTime } from '../runtime/system-time.js';
import { logEvents } from '../telemetry/log.js';
import { serveDemo } from './demo-backend.js';
import { createLogger, type LogFlags } from './logger.js';
import { configJson, configTable, overridden } from './print-config.js';
import { addSettingsFlags, loadFlags, type SettingsFlags } from './settings-flags.js';
import { onStopSignals } from './stop-signals.js';
import { readVersion } from './version.js';

interface ServeFlags extends SettingsFlags, LogFlags {
  readonly port: number;
  readonly host: string;
  readonly printConfig?: boolean;
  readonly json?: boolean;
}

/** A server that runs. */
export interface Serving {
  readonly url: string;
  readonly mooring: Mooring;
  /** Tells everybody to go elsewhere, and resolves once all is closed. */
  stop(): Promise<void>;
}

const examples = `
Examples:
  mooring serve --port 8080
  mooring serve --env production --set maxManagersPerUser=5
  mooring serve --config mooring.json --print-config

Connect as anybody: ws://127.0.0.1:8080/?user_id=alice&thread_id=thread_1
Every message is echoed; {"type":"run","tokens":50,"everyMs":100} streams 50 tokens while holding the connection.
Users are anonymous here: whoever can reach the server can be anybody. It listens on loopback unless told otherwise.`;

/** `mooring serve` */
export function addServe(program: Command): void {
  const command = program
    .command('serve')
    .description('a WebSocket server with Mooring attached and an echo backend behind it')
    .option('--port <number>', 'port to listen on; 0 takes any that is free', portNumber, 8080)
    .option('--host <address>', 'address to listen on', '127.0.0.1');
  addSettingsFlags(command)
    .option('--print-config', 'print the effective configuration, each value with where it came from, and exit')
    .option('--json', 'with --print-config: as JSON')
    .addOption(
      new Option('--log-level <level>', 'least level to log')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .default('info'),
    )
    .addOption(
      new Option('--log-format <format>', 'default: pretty on a terminal, else json').choices(['pretty', 'json']),
    )
    .addHelpText('after', examples)
    .action(runServe);
}

async function runServe(flags: ServeFlags): Promise<void> {
  const loaded = loadServerConfig(flags);
  if (flags.printConfig === true) {
    process.stdout.write(flags.json === true ? configJson(loaded) : configTable(loaded));
    return;
  }
  const logger = createLogger(flags);
  for (const warning of loaded.warnings) logger.warn(warning);
  const serving = await serve(loaded, flags, (mooring) => logEvents(mooring, logger));
  const { environment, config } = loaded;
  const { maxTotalManagers } = config;
  logger.info({ environment, ...overridden(loaded), maxTotalManagers }, `listening on ${serving.url}`);
  const forget = onStopSignals(
    (signal) => {
      logger.info(
        `${signal}: closing ${String(serving.mooring.factory.managerCount)} connections; again to exit at once`,
      );
      void serving.stop().then(() => {
        forget();
        process.exit(0);
      });
    },
    (code) => process.exit(code),
  );
}

/** The server's own default: half the file descriptors, so that accepting never fails. @throws ConfigurationError */
export function loadServerConfig(flags: SettingsFlags): LoadedConfig {
  const loaded = loadFlags(flags);
  const descriptors = fileDescriptorLimit();
  if (loaded.sources.maxTotalManagers !== 'preset' || descriptors === null) return loaded;
  const config = Object.freeze({ ...loaded.config, maxTotalManagers: Math.max(1, Math.floor(descriptors / 2)) });
  return { ...loaded, config };
}

/**
 * Starts the server.
 * @param watch called with the Mooring before anybody can connect @returns ends the watching
 * @throws the error of `listen`, e.g. EADDRINUSE
 */
export async function serve(
  { config }: LoadedConfig,
  { port, host }: { readonly port: number; readonly host: string },
  watch: (mooring: Mooring) => () => void = () => () => undefined,
): Promise<Serving> {
  const mooring = new Mooring({ config, time: new SystemTime(), random: Math.random });
  const unwatch = watch(mooring);
  const http = createServer((request, response) => {
    answer(request, response, mooring);
  });
  const server = new WebSocketServer({ noServer: true });
  attach(server, { mooring, authenticate: whoeverTheySay });
  server.on('connection', serveDemo);
  http.on('upgrade', (request, stream, head) => {
    server.handleUpgrade(request, stream, head, (socket) => server.emit('connection', socket, request));
  });
  http.listen(port, host);
  await once(http, 'listening');
  const { port: taken } = http.address() as AddressInfo;
  const url = `ws://${host.includes(':') ? `[${host}]` : host}:${String(taken)}`;
  return { url, mooring, stop: () => stopServing(http, mooring, unwatch) };
}

async function stopServing(http: Server, mooring: Mooring, unwatch: () => void): Promise<void> {
  const closed = once(http, 'close');
  http.close();
  await mooring.stop();
  http.closeAllConnections();
  await closed;
  unwatch();
}

/** Anonymous users, for trying things: `?user_id=alice&thread_id=thread_1`. What is missing is refused by its rule. */
function whoeverTheySay({ url }: IncomingMessage): ContextFields {
  const query = new URL(url ?? '/', 'ws://anywhere').searchParams;
  const fields = { userId: query.get('user_id') ?? undefined, threadId: query.get('thread_id') ?? undefined };
  return fields as ContextFields;
}

function answer({ url, method }: IncomingMessage, response: ServerResponse, mooring: Mooring): void {
  const isHealth = url === '/healthz' && (method === 'GET' || method === 'HEAD');
  if (!isHealth) {
    response.writeHead(426, {
      'content-type': 'text/plain; charset=utf-8',
      upgrade: 'websocket',
      connection: 'Upgrade',
    });
    response.end(
      'This is a WebSocket server: connect to /?user_id=alice&thread_id=thread_1. Its health is at /healthz.\n',
    );
    return;
  }
  const status = mooring.isDraining ? 'draining' : 'ok';
  response.writeHead(status === 'ok' ? 200 : 503, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify({ status, managers: mooring.factory.managerCount, version: readVersion() })}\n`);
}

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new TypeError(`Wanted a port from 0 to 65535, got "${text}".`);
}
