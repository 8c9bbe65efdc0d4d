import { InvalidArgumentError, Option, type Command } from 'commander';
import { environments } from '../../core/presets.js';

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

function nameAndValue(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('Wanted name=value, e.g. idleManagerTimeout=120s.');
  return [text.slice(0, equals).trim(), text.slice(equals + 1)];
}
