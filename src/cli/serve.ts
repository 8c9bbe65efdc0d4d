import { InvalidArgumentError, Option, type Command } from 'commander';
import type { LoadedConfig } from '../core/config.js';
import type { SettingName } from '../core/settings.js';
import { fileDescriptorLimit } from '../runtime/file-descriptor-limit.js';
import { createLogger, type LogFlags } from './logger.js';
import { configJson, configTable, overridden, writtenSettings } from './print-config.js';
import { startServer, type Address } from './server.js';
import { addSettingsFlags, loadFlags, type SettingsFlags } from './settings-flags.js';
import { onStopSignals } from './stop-signals.js';

interface ServeFlags extends Address, SettingsFlags, LogFlags {
  readonly printConfig?: boolean;
  readonly json?: boolean;
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
  const serving = await startServer(loaded.config, flags, logger);
  logger.info(summary(loaded), `listening on ${serving.url}; try ${serving.url}/?user_id=alice&thread_id=thread_1`);
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

/** What anybody looks for first, and whatever is not as preset. */
function summary(loaded: LoadedConfig): object {
  const names: SettingName[] = [
    'maxManagersPerUser',
    'maxTotalManagers',
    'idleManagerTimeoutMs',
    'heartbeatIntervalMs',
  ];
  const { environment } = loaded;
  return { environment, ...writtenSettings(loaded, [...names, ...overridden(loaded)]), more: '--print-config' };
}

/** The server's own default: half the file descriptors, so that accepting never fails. @throws ConfigurationError */
export function loadServerConfig(flags: SettingsFlags): LoadedConfig {
  const descriptors = fileDescriptorLimit();
  return loadFlags(flags, descriptors === null ? {} : { maxTotalManagers: Math.max(1, Math.floor(descriptors / 2)) });
}

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('Wanted a port from 0 to 65535.');
}
