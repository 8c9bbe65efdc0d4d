import { readFileSync } from 'node:fs';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { ConfigurationError } from '../core/errors.js';
import { environments } from '../core/presets.js';
import type { LoadedConfig } from '../core/config.js';
import type { WebSocketConfig } from '../core/settings.js';
import { loadProcessConfig } from '../create-mooring.js';

/** What the shared flags give. */
export interface SettingsFlags {
  readonly env?: string;
  readonly config?: string;
  readonly set?: readonly (readonly [name: string, written: string])[];
}

/** Adds the flags every command with a configuration has. */
export function addSettingsFlags(command: Command): Command {
  return command
    .addOption(new Option('--env <name>', 'environment whose preset to use').choices(environments))
    .option('--config <file>', 'JSON file of settings, durations with a unit: {"idleManagerTimeout": "120s"}')
    .option(
      '--set <name=value>',
      'a setting, e.g. --set maxManagersPerUser=3 --set idleManagerTimeout=120s; may be repeated',
      (text: string, former: SettingsFlags['set']) => [...(former ?? []), nameAndValue(text)],
    );
}

/** The configuration these flags make, over the process's environment. @throws ConfigurationError */
export function loadFlags(flags: SettingsFlags, machine: Partial<WebSocketConfig> = {}): LoadedConfig {
  return loadProcessConfig({
    environment: flags.env,
    flags: flags.set,
    machine,
    ...(flags.config !== undefined && { file: readSettings(flags.config) }),
  });
}

function nameAndValue(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('Wanted name=value, e.g. idleManagerTimeout=120s.');
  return [text.slice(0, equals).trim(), text.slice(equals + 1)];
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
