import { settingNames, type SettingName } from '../../core/settings.js';
import { outsideName, variableName } from '../../config/written-settings.js';
import type { SettingSource } from '../../config/load-config.js';
import type { DayFlags } from './simulate-flags.js';

/** What a shell takes as it is. */
const plain = /^[\w@%+:,./=-]+$/;

/** The command that makes this small world again. */
export function smallWorldCommand(seed: number): string {
  return `npx mooring simulate --scenario small --seed ${String(seed)}`;
}

/**
 * The command that lives through this day again, quoted for a shell. Settings that came from environment variables are
 * flags in it, so that it means the same elsewhere.
 * @param sources where the settings came from
 * @param env the environment variables
 */
export function dayCommand(
  flags: DayFlags,
  sources: Readonly<Record<SettingName, SettingSource>>,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const { scenario, hours, users, seed, env: preset, config, set = [], compare = [] } = flags;
  const fromEnvironment = settingNames
    .filter((name) => sources[name] === 'environment')
    .map((name) => [outsideName(name), env[variableName(name)] ?? ''] as const);
  const words = [
    ...['npx', 'mooring', 'simulate', '--scenario', scenario],
    ...['--hours', String(hours), '--users', String(users), '--seed', String(seed)],
    ...(preset === undefined ? [] : ['--env', preset]),
    ...(config === undefined ? [] : ['--config', config]),
    ...[...fromEnvironment, ...set].flatMap(([name, written]) => ['--set', `${name}=${written}`]),
    ...(compare.length === 0 ? [] : ['--compare', ...compare]),
  ];
  return words.map(quoted).join(' ');
}

function quoted(word: string): string {
  return plain.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
