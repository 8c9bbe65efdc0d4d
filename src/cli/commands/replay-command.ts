import type { Variables } from '../../config/environment.js';
import type { LoadedConfig } from '../../config/load-config.js';
import { outsideName, variableName } from '../../config/written-settings.js';
import { settingNames } from '../../core/settings.js';
import { commandName } from '../version.js';
import type { DayFlags } from './simulate-flags.js';
import { quoted } from './values.js';

/** Words that a shell needs no quotes for. */
const plain = /^[\w@%+:,./=-]+$/;

/** The command that makes this small world again. */
export function smallWorldCommand(seed: number): string {
  return `${commandName()} simulate --scenario small --seed ${String(seed)}`;
}

/**
 * The command that simulates this day again, quoted for a shell. Settings from environment variables become flags, so
 * that the command does the same on another machine.
 * @param env the environment variables
 */
export function dayCommand(flags: DayFlags, sources: LoadedConfig['sources'], env: Variables = process.env): string {
  const { scenario, hours, users, seed, env: preset, config, set = [], compare = [] } = flags;
  const fromEnvironment = settingNames
    .filter((name) => sources[name] === 'environment')
    .map((name) => [outsideName(name), env[variableName(name)] ?? ''] as const);
  const words = [
    scenario,
    ...['--hours', hours, '--users', users, '--seed', seed].map(String),
    ...(preset === undefined ? [] : ['--env', preset]),
    ...(config === undefined ? [] : ['--config', config]),
    ...[...fromEnvironment, ...set].flatMap(([name, written]) => ['--set', `${name}=${written}`]),
    ...(compare.length === 0 ? [] : ['--compare', ...compare]),
  ];
  const shellWords = words.map((word) => (plain.test(word) ? word : quoted(word)));
  return `${commandName()} simulate --scenario ${shellWords.join(' ')}`;
}
