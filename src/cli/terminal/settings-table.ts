import type { LoadedConfig } from '../../config/load-config.js';
import { outsideName, writeSetting } from '../../config/written-settings.js';
import { settingNames, type SettingName } from '../../core/settings.js';
import { aligned } from './table.js';

/** A configuration as a table. @param rows name outside code, value and source of each setting */
export function settingsTable(environment: string, rows: readonly (readonly string[])[]): string {
  return `environment: ${environment}\n\n${aligned([['setting', 'value', 'source'], ...rows])}\n`;
}

/** The effective configuration as a table. */
export function configTable({ config, sources, environment }: LoadedConfig): string {
  const rows = settingNames.map((name) => [outsideName(name), writeSetting(name, config[name]), sources[name]]);
  return settingsTable(environment, rows);
}

/** The effective configuration as JSON. */
export function configJson({ config, sources, environment }: LoadedConfig): string {
  const rows = settingNames.map((name) => [name, { value: config[name], source: sources[name] }]);
  return `${JSON.stringify({ environment, settings: Object.fromEntries(rows) as unknown }, null, 2)}\n`;
}

/** The settings whose value is not the preset's. */
export function overridden({ sources }: LoadedConfig): readonly SettingName[] {
  return settingNames.filter((name) => sources[name] !== 'preset');
}

/** Some settings, as a person would write them. */
export function writtenSettings({ config }: LoadedConfig, names: readonly SettingName[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [outsideName(name), writeSetting(name, config[name])]));
}
