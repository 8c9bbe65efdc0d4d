import { InvalidArgumentError, type Command } from 'commander';
import { longestMs } from '../../simulation/forever.js';
import { scenarios, type ScenarioName } from '../../simulation/population.js';
import type { SeedName } from '../../simulation/seed/rules.js';
import type { SettingsFlags } from './settings-flags.js';
import { wholeNumber } from './values.js';

/** The flags of `mooring simulate`. */
export interface SimulateFlags extends SettingsFlags {
  readonly hours: number;
  readonly users: number;
  readonly seed: number;
  readonly scenario: ScenarioName | 'small';
  readonly script?: string;
  readonly json?: boolean;
  readonly compare?: readonly SeedName[];
}

/** The flags that simulate a day. */
export interface DayFlags extends SimulateFlags {
  readonly scenario: ScenarioName;
}

/** Whether a day is to be simulated. */
export function isOfDay(flags: SimulateFlags): flags is DayFlags {
  return Object.hasOwn(scenarios, flags.scenario);
}

/** The longest day, in hours: 24 days. */
const mostHours = longestMs / 3_600_000;

/** Simulated hours: above 0, at most 576. @throws InvalidArgumentError */
export function readHours(text: string): number {
  const hours = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : NaN;
  if (hours > 0 && hours <= mostHours) return hours;
  throw new InvalidArgumentError(`Wanted a number above 0, at most ${String(mostHours)}, such as 24 or 0.5.`);
}

/** Simulated users. @throws InvalidArgumentError */
export const readUsers = wholeNumber(1, 1_000_000);

/** A seed of 32 bits. @throws InvalidArgumentError */
export const readSeed = wholeNumber(0, 2 ** 32 - 1);

/** Flags that have no effect in a small world, whose users and settings follow from its seed. */
const uselessInSmallWorlds = ['hours', 'users', 'set', 'env', 'config', 'compare', 'json'] as const;

/** Flags that have no effect with a script, whose file has everything. */
const uselessWithScripts = [...uselessInSmallWorlds, 'seed', 'scenario'] as const;

/** Ends the process, as for wrong usage, if flags were given that have no effect. */
export function refuseUseless(command: Command): void {
  const { script, scenario } = command.opts<SimulateFlags>();
  if (script !== undefined) refuse(command, uselessWithScripts, '--script, whose file has everything');
  else if (scenario === 'small')
    refuse(command, uselessInSmallWorlds, '--scenario small, which has one hour, and users and settings of its own');
}

function refuse(command: Command, useless: readonly (keyof SimulateFlags)[], why: string): void {
  const given = useless.filter((name) => command.getOptionValueSource(name) === 'cli').map((name) => `--${name}`);
  if (given.length === 0) return;
  command.error(`error: ${listOf(given)} ${given.length === 1 ? 'does' : 'do'} nothing with ${why}`);
}

/** `a, b and c` */
function listOf(names: readonly string[]): string {
  return names.length === 1 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.slice(-1).join('')}`;
}
