import { longestMs } from '../../simulation/forever.js';
import { InvalidArgumentError, type Command } from 'commander';
import { scenarios, type ScenarioName } from '../../simulation/population.js';
import type { SeedName } from '../../simulation/seed/rules.js';
import type { SettingsFlags } from './settings-flags.js';

/** What `mooring simulate` was told. */
export interface SimulateFlags extends SettingsFlags {
  readonly hours: number;
  readonly users: number;
  readonly seed: number;
  readonly scenario: ScenarioName | 'small';
  readonly script?: string;
  readonly json?: boolean;
  readonly compare?: readonly SeedName[];
}

/** The same, of a day. */
export interface DayFlags extends SimulateFlags {
  readonly scenario: ScenarioName;
}

/** Whether a day is to be simulated. */
export function isOfDay(flags: SimulateFlags): flags is DayFlags {
  return Object.hasOwn(scenarios, flags.scenario);
}

/** The longest day, in hours: 24 days. */
const mostHours = longestMs / 3_600_000;
const mostUsers = 1_000_000;

/** Seeds are 32 bits. */
const mostSeed = 2 ** 32 - 1;

/** Simulated hours: above 0, at most 576. @throws InvalidArgumentError */
export function readHours(text: string): number {
  const hours = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : NaN;
  if (hours > 0 && hours <= mostHours) return hours;
  throw new InvalidArgumentError(`Wanted a number above 0, at most ${String(mostHours)}, such as 24 or 0.5.`);
}

/** Simulated users: 1 to 1000000. @throws InvalidArgumentError */
export function readUsers(text: string): number {
  return wholeOf(text, 1, mostUsers);
}

/** A seed: 0 to 4294967295. @throws InvalidArgumentError */
export function readSeed(text: string): number {
  return wholeOf(text, 0, mostSeed);
}

function wholeOf(text: string, least: number, most: number): number {
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  if (number >= least && number <= most) return number;
  throw new InvalidArgumentError(`Wanted a whole number from ${String(least)} to ${String(most)}.`);
}

/** What makes other flags useless: which, and why. */
const masters = {
  script: {
    written: '--script',
    useless: ['hours', 'users', 'seed', 'scenario', 'set', 'env', 'config', 'compare', 'json'],
    why: 'whose file says everything',
  },
  small: {
    written: '--scenario small',
    useless: ['hours', 'users', 'set', 'env', 'config', 'compare', 'json'],
    why: 'which is an hour of its own, with users and settings that follow from its seed',
  },
} as const satisfies Record<
  string,
  { readonly written: string; readonly useless: readonly (keyof SimulateFlags)[]; readonly why: string }
>;

/** Says that flags somebody gave would do nothing, and ends as wrong usage does. */
export function refuseUseless(command: Command): void {
  const { script, scenario } = command.opts<SimulateFlags>();
  if (script === undefined && scenario !== 'small') return;
  const { written, useless, why } = masters[script === undefined ? 'small' : 'script'];
  const given = useless.filter((name) => command.getOptionValueSource(name) === 'cli').map((name) => `--${name}`);
  if (given.length === 0) return;
  command.error(`error: ${listOf(given)} ${given.length === 1 ? 'does' : 'do'} nothing with ${written}, ${why}`);
}

/** `a, b and c` */
function listOf(names: readonly string[]): string {
  return names.length === 1 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.slice(-1).join('')}`;
}
