import { InvalidArgumentError, Option, type Command } from 'commander';
import { defaultMaxPayload, defaultPorts } from '../server/defaults.js';
import type { ServeFlags } from './serve-run.js';
import { addSettingsFlags } from './settings-flags.js';
import { messageSize, portNumber } from './values.js';

const examples = `
Examples:
  mooring serve --port 8080
  mooring serve --env production --set maxManagersPerUser=5
  mooring serve --config mooring.json --print-config
  mooring serve --admin-host 0.0.0.0 --admin-token-file tokens.json
  mooring serve --redis redis://127.0.0.1:6379

Connect as anybody: ws://127.0.0.1:8080/?user_id=alice&thread_id=thread_1
Every message is echoed; {"type":"run","tokens":50,"everyMs":100} streams 50 tokens while holding the connection;
{"type":"fail"} makes the backend report the connection as failed, and the next background cleanup closes it.

This is for trying Mooring out, its commands and its dashboard: every client can use any user id. By default the server
listens on loopback only. In your own server use attach() of mooring/ws and createAdmin() of mooring/admin.

The admin port has the API that the other commands use, /metrics for Prometheus, /healthz and /readyz. Tokens are in a
file, [{ "name": "ops", "scope": "act", "token": "…" }] with the scope read or act, or in MOORING_ADMIN_READ_TOKEN and
MOORING_ADMIN_ACT_TOKEN. Without tokens, everybody on this machine may read and act, and nobody else.`;

/** `mooring serve` */
export function addServe(program: Command): void {
  const command = program
    .command('serve')
    .description('a demo server: Mooring in front of an echo backend that authenticates nobody')
    .option('--port <number>', 'port to listen on; 0 takes any free port', portNumber, defaultPorts.webSocket)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .addOption(
      new Option(
        '--max-payload <size>',
        'longest message to take; a client that sends a longer one is closed with 1009',
      )
        .argParser(messageSize)
        .default(defaultMaxPayload, '1MiB'),
    )
    .option('--admin-port <number>', 'port of the admin API; 0 takes any free port', portNumber, defaultPorts.admin)
    .option('--admin-host <address>', 'address of the admin API; beyond this machine only with tokens', '127.0.0.1')
    .option('--admin-token-file <file>', 'JSON file of the tokens of the admin API')
    .option(
      '--admin-origin <origin>',
      'origin of the admin API in browsers, behind a proxy that changes Host; may be repeated',
      origin,
    )
    .option('--no-admin', 'no admin API')
    .addOption(
      new Option(
        '--redis <url>',
        'share the quota with all servers on this Redis: redis:// or, encrypted, rediss://',
      ).env('MOORING_REDIS_URL'),
    )
    .option('--redis-prefix <text>', 'how the keys in Redis begin; servers with the same one share a quota', 'mooring');
  addSettingsFlags(command)
    .option('--print-config', 'print the effective configuration, each value with its source, and exit')
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
