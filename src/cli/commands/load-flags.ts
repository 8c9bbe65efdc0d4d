import { readFileSync } from 'node:fs';
import type { ConfigSources, LoadedConfig } from '../../config/load-config.js';
import { ConfigurationError } from '../../core/errors.js';
import { loadProcessConfig } from '../../create-mooring.js';
import type { SettingsFlags } from './settings-flags.js';

/** The configuration these flags make, over the process's environment. @throws ConfigurationError */
export function loadFlags(flags: SettingsFlags, defaults: Pick<ConfigSources, 'machine' | 'demo'> = {}): LoadedConfig {
  return loadProcessConfig({
    environment: flags.env,
    flags: flags.set,
    ...defaults,
    ...(flags.config !== undefined && { file: readSettings(flags.config) }),
  });
}

function readSettings(file: string): Readonly<Record<string, unknown>> {
  let settings: unknown;
  try {
    settings = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new ConfigurationError([`--config ${file}: ${error instanceof Error ? error.message : 'cannot be read'}`]);
  }
  if (typeof settings === 'object' && settings !== null && !Array.isArray(settings)) return { ...settings };
  throw new ConfigurationError([`--config ${file}: wanted a JSON object of settings`]);
}
