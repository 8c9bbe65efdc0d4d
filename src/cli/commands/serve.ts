import { InvalidArgumentError, Option, type Command } from 'commander';
import type { AdminFlags } from '../server/admin-access.js';
import type { Address } from '../server/listening.js';
import type { LogFlags } from '../server/logger.js';
import { addSettingsFlags, type SettingsFlags } from './settings-flags.js';
import { defaultMaxPayload, messageSize } from '../server/sizes.js';

/** What `mooring serve` was told. */
export interface ServeFlags extends Address, AdminFlags, SettingsFlags, LogFlags {
  readonly maxPayload: number;
  readonly printConfig?: boolean;
  readonly json?: boolean;
}

const examples = `
Examples:
  mooring serve --port 8080
  mooring serve --env production --set maxManagersPerUser=5
  mooring serve --config mooring.json --print-config
  mooring serve --admin-host 0.0.0.0 --admin-token-file tokens.json

Connect as anybody: ws://127.0.0.1:8080/?user_id=alice&thread_id=thread_1
Every message is echoed; {"type":"run","tokens":50,"everyMs":100} streams 50 tokens while holding the connection;
{"type":"fail"} has the backend say that the connection is broken, and the next background cleanup closes it.
Users are anonymous here: whoever can reach the server can be anybody. It listens on loopback unless told otherwise.

The admin port has the API that the other commands ask, /metrics for Prometheus, /healthz and /readyz. Tokens are in a
file, [{ "name": "ops", "scope": "act", "token": "…" }] with the scope read or act, or in MOORING_ADMIN_READ_TOKEN and
MOORING_ADMIN_ACT_TOKEN. Without tokens, everybody on this machine may look and act, and nobody else.`;

/** Where servers listen unless told otherwise. */
export const defaultPorts = Object.freeze({ webSocket: 8080, admin: 9090 });

/** `mooring serve` */
export function addServe(program: Command): void {
  const command = program
    .command('serve')
    .description('a WebSocket server with Mooring attached and an echo backend behind it')
    .option('--port <number>', 'port to listen on; 0 takes any that is free', portNumber, defaultPorts.webSocket)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .addOption(
      new Option('--max-payload <size>', 'longest message to take; who sends a longer one is closed 1009')
        .argParser(messageSize)
        .default(defaultMaxPayload, '1MiB'),
    )
    .option('--admin-port <number>', 'port of the admin API; 0 takes any that is free', portNumber, defaultPorts.admin)
    .option('--admin-host <address>', 'address of the admin API; beyond this machine only with tokens', '127.0.0.1')
    .option('--admin-token-file <file>', 'JSON file of the tokens of the admin API')
    .option(
      '--admin-origin <origin>',
      'what browsers call the admin API, behind a proxy that sets Host anew; may be given again',
      origin,
    )
    .option('--no-admin', 'no admin API');
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
    .action(async (flags: ServeFlags) => {
      const { runServe } = await import('./serve-run.js');
      await runServe(flags);
    });
}

/** Reads an origin, and adds it to those before it. @throws InvalidArgumentError */
function origin(text: string, before: readonly string[] = []): readonly string[] {
  if (URL.canParse(text) && new URL(text).origin === text) return [...before, text];
  throw new InvalidArgumentError('Wanted an origin such as https://ops.example.com, without a path.');
}

/** Reads a port. @throws InvalidArgumentError */
export function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('Wanted a port from 0 to 65535.');
}
