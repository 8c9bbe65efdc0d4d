import type { Access } from '../../admin/access.js';
import type { LoadedConfig } from '../../config/load-config.js';
import type { SettingName, WebSocketConfig } from '../../core/settings.js';
import { fileDescriptorLimit } from '../../runtime/file-descriptor-limit.js';
import { readAccess } from '../server/admin-access.js';
import { defaultAdminUrl } from './asking.js';
import { loadFlags } from './load-flags.js';
import { createLogger } from '../server/logger.js';
import { configJson, configTable, overridden, writtenSettings } from './print-config.js';
import type { ServeFlags } from './serve.js';
import { startServers, stopOnSignals } from '../server/servers.js';
import type { SettingsFlags } from './settings-flags.js';

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
  const servers = await startServers(flags, { loaded, access, logger });
  const { url, adminUrl } = servers;
  logger.info(summary(loaded), `listening on ${url}; try ${url}/?user_id=alice&thread_id=thread_1`);
  if (adminUrl !== null) logger.info(`admin API on ${adminUrl}, for ${describeAccess(access, adminUrl)}`);
  stopOnSignals((signal) => {
    logger.info(`${signal}: closing ${String(servers.managerCount)} connections; again to exit at once`);
    return servers.stop();
  });
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
 * @param demo what a demo is made for
 * @throws ConfigurationError
 */
export function loadServerConfig(flags: SettingsFlags, demo: Partial<WebSocketConfig> = {}): LoadedConfig {
  const descriptors = fileDescriptorLimit();
  const limits = descriptors === null ? {} : { maxTotalManagers: Math.max(1, Math.floor(descriptors / 2)) };
  return loadFlags(flags, { machine: { ...limits, journalBytes }, demo });
}
