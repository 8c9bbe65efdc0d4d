import type { LoadedConfig } from '../../config/load-config.js';
import { settingNames, type SettingName } from '../../core/settings.js';
import { outsideName, writeSetting } from '../../config/written-settings.js';
import { settingsTable } from '../terminal/settings-table.js';

/** The effective configuration as a table: each setting, its value, and where that came from. */
export function configTable({ config, sources, environment }: LoadedConfig): string {
  const rows = settingNames.map((name) => [outsideName(name), writeSetting(name, config[name]), sources[name]]);
  return settingsTable(environment, rows);
}

/** The same for machines. */
export function configJson({ config, sources, environment }: LoadedConfig): string {
  const rows = settingNames.map((name) => [name, { value: config[name], source: sources[name] }]);
  return `${JSON.stringify({ environment, settings: Object.fromEntries(rows) as unknown }, null, 2)}\n`;
}

/** The settings that are not as preset. */
export function overridden({ sources }: LoadedConfig): readonly SettingName[] {
  return settingNames.filter((name) => sources[name] !== 'preset');
}

/** Some settings, as a person would write them. */
export function writtenSettings({ config }: LoadedConfig, names: readonly SettingName[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [outsideName(name), writeSetting(name, config[name])]));
}
