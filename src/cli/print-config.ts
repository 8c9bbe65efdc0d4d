import type { LoadedConfig } from '../core/config.js';
import { outsideName, settingNames, settings, writeDuration, type SettingName } from '../core/settings.js';

/** The effective configuration as a table: each setting, its value, where that came from, and what it is for. */
export function configTable({ config, sources, environment }: LoadedConfig): string {
  const rows = settingNames.map((name) => [
    outsideName(name),
    written(name, config[name]),
    sources[name],
    settings[name].about,
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return `environment: ${environment}\n\n${lines.join('\n')}\n`;
}

/** The same for machines. */
export function configJson({ config, sources, environment }: LoadedConfig): string {
  const rows = settingNames.map((name) => [name, { value: config[name], source: sources[name] }]);
  return `${JSON.stringify({ environment, settings: Object.fromEntries(rows) as unknown }, null, 2)}\n`;
}

/** What differs from the preset, for the log at start. */
export function overridden({ config, sources }: LoadedConfig): Record<string, string> {
  const names = settingNames.filter((name) => sources[name] !== 'preset');
  return Object.fromEntries(names.map((name) => [outsideName(name), written(name, config[name])]));
}

function written(name: SettingName, value: unknown): string {
  if (value === null) return 'none';
  if (typeof value === 'number') return settings[name].kind === 'duration' ? writeDuration(value) : String(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
