import type { Access } from '../admin/access.js';
import type { LoadedConfig } from '../core/config.js';
import type { SettingName } from '../core/settings.js';
import { fileDescriptorLimit } from '../runtime/file-descriptor-limit.js';
import { readAccess } from './admin-access.js';
import { startAdminServer, type AdminServing } from './admin-server.js';
import { defaultAdminUrl } from './asking.js';
import { loadFlags } from './load-flags.js';
import { createLogger } from './logger.js';
import { configJson, configTable, overridden, writtenSettings } from './print-config.js';
import type { ServeFlags } from './serve.js';
import { startServer, type Serving } from './server.js';
import type { SettingsFlags } from './settings-flags.js';
import { onStopSignals } from './stop-signals.js';

/** Serves until told to stop, or prints the configuration it would serve with. @throws MooringError, CommandError */
export async function runServe(flags: ServeFlags): Promise<void> {
  const loaded = loadServerConfig(flags);
  if (flags.printConfig === true) {
    process.stdout.write(flags.json === true ? configJson(loaded) : configTable(loaded));
    return;
  }
  const access = flags.admin ? readAccess(flags, process.env) : null;
  const logger = createLogger(flags);
  for (const warning of loaded.warnings) logger.warn(warning);
  const serving = await startServer(loaded.config, flags, logger);
  const admin = access === null ? null : await startAdmin(serving, { access, loaded, flags });
  logger.info(summary(loaded), `listening on ${serving.url}; try ${serving.url}/?user_id=alice&thread_id=thread_1`);
  if (admin !== null) logger.info(`admin API on ${admin.url}, for ${describeAccess(access, admin.url)}`);
  const forget = onStopSignals(
    (signal) => {
      logger.info(
        `${signal}: closing ${String(serving.mooring.factory.managerCount)} connections; again to exit at once`,
      );
      void stopAll(serving, admin).then(() => {
        forget();
        process.exit(0);
      });
    },
    (code) => process.exit(code),
  );
}

interface AdminStart {
  readonly access: Access;
  readonly loaded: LoadedConfig;
  readonly flags: ServeFlags;
}

function startAdmin({ mooring }: Serving, { access, loaded, flags }: AdminStart): Promise<AdminServing> {
  const address = { port: flags.adminPort, host: flags.adminHost };
  return startAdminServer({ mooring, access, loaded, address });
}

/** Who watches sees everybody leave. */
async function stopAll(serving: Serving, admin: AdminServing | null): Promise<void> {
  await serving.stop();
  await admin?.stop();
}

function describeAccess(access: Access | null, url: string): string {
  const where = url === defaultAdminUrl ? '' : ` --url ${url}`;
  if (!Array.isArray(access)) return `everybody on this machine; try npx mooring top${where}`;
  return `${String(access.length)} ${access.length === 1 ? 'token' : 'tokens'}`;
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

/** What the journal may take, in bytes. */
const journalBytes = 24 * 1024 * 1024;

/**
 * The server's own defaults: half the file descriptors, so that accepting never fails, and a journal.
 * @throws ConfigurationError
 */
export function loadServerConfig(flags: SettingsFlags): LoadedConfig {
  const descriptors = fileDescriptorLimit();
  const limits = descriptors === null ? {} : { maxTotalManagers: Math.max(1, Math.floor(descriptors / 2)) };
  return loadFlags(flags, { ...limits, journalBytes });
}
