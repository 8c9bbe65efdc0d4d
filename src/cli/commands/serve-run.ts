import type { Access } from '../../admin/access.js';
import type { LoadedConfig } from '../../config/load-config.js';
import type { SettingName, WebSocketConfig } from '../../core/settings.js';
import { fileDescriptorLimit } from '../../runtime/file-descriptor-limit.js';
import { readAccess, type AdminFlags } from '../server/admin-access.js';
import { defaultAdminUrl } from '../server/defaults.js';
import { createLogger, type LogFlags } from '../server/logger.js';
import { exampleOf } from '../server/server.js';
import { startServers, type ServersFlags } from '../server/servers.js';
import { configJson, configTable, overridden, writtenSettings } from '../terminal/settings-table.js';
import { stopOnSignals } from '../terminal/stop-signals.js';
import { commandName } from '../version.js';
import { loadFlags } from './load-flags.js';
import type { SettingsFlags } from './settings-flags.js';

/** The flags of `mooring serve`. */
export interface ServeFlags extends ServersFlags, AdminFlags, SettingsFlags, LogFlags {
  /** Whether there is an admin API. */
  readonly admin: boolean;
  readonly printConfig?: boolean;
  readonly json?: boolean;
}

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
  logger.info(summary(loaded), `listening on ${url}; try ${exampleOf(url, loaded.config)}`);
  if (adminUrl !== null) logger.info(`admin API on ${adminUrl}, for ${describeAccess(access, adminUrl)}`);
  stopOnSignals((signal) => {
    logger.info(`${signal}: closing ${String(servers.mooring.managerCount)} connections; again to exit at once`);
    return servers.stop();
  });
}

function describeAccess(access: Access | null, url: string): string {
  const where = url === defaultAdminUrl ? '' : ` --url ${url}`;
  if (!Array.isArray(access)) return `everybody on this machine; try ${commandName()} top${where}`;
  return `${String(access.length)} ${access.length === 1 ? 'token' : 'tokens'}`;
}

/** The most important settings, and all that are not the preset's. */
function summary(loaded: LoadedConfig): object {
  const settings = writtenSettings(loaded, [...mainSettings, ...overridden(loaded)]);
  return { environment: loaded.environment, ...settings, more: '--print-config' };
}

const mainSettings: readonly SettingName[] = [
  'maxManagersPerUser',
  'maxTotalManagers',
  'idleManagerTimeoutMs',
  'heartbeatIntervalMs',
];

/** The journal's size, in bytes. */
const journalBytes = 24 * 1024 * 1024;

/**
 * The configuration of a server: as many managers as half the file descriptors, so that accepting never fails, and a
 * journal, unless flags give other values.
 * @param demo settings of the demo
 * @throws ConfigurationError
 */
export function loadServerConfig(flags: SettingsFlags, demo: Partial<WebSocketConfig> = {}): LoadedConfig {
  const descriptors = fileDescriptorLimit();
  const limits = descriptors === null ? {} : { maxTotalManagers: Math.max(1, Math.floor(descriptors / 2)) };
  return loadFlags(flags, { machine: { ...limits, journalBytes }, demo });
}
