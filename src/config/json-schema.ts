import { z } from 'zod';
import { settingNames, settings, type SettingName } from '../core/settings.js';
import { canBeOff, outsideName, writeSetting } from './written-settings.js';

type JsonSchema = Readonly<Record<string, unknown>>;

/** As {@link readDuration} reads it. */
const durationPattern = String.raw`[0-9]+(\.[0-9]+)? *(ms|s|m|h)`;

/** The JSON schema of a configuration file: every setting with what it is for, its values and its default. */
export function settingsSchema(): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Settings of Mooring',
    type: 'object',
    additionalProperties: false,
    properties: {
      $schema: { description: 'Where this schema is, for editors. Mooring ignores it.', type: 'string' },
      ...Object.fromEntries(settingNames.map((name) => [outsideName(name), schemaOf(name)])),
    },
  };
}

function schemaOf(name: SettingName): JsonSchema {
  const setting = settings[name];
  const isWritten = setting.kind === 'duration';
  const written = 'default' in setting && isWritten ? writeSetting(name, setting.default) : undefined;
  const preset = 'default' in setting ? (written ?? setting.default) : undefined;
  return {
    description: setting.about,
    ...(isWritten ? durationOf(name) : valueOf(setting.schema())),
    ...(preset !== undefined && { default: preset }),
  };
}

function durationOf(name: SettingName): JsonSchema {
  const pattern = canBeOff(name) ? `^(${durationPattern}|off)$` : `^${durationPattern}$`;
  return { type: 'string', pattern, examples: ['500ms', '120s', '10m', '1h'] };
}

function valueOf(schema: z.ZodType): JsonSchema {
  const entries = Object.entries(z.toJSONSchema(schema, { io: 'input' }));
  return Object.fromEntries(entries.filter(([key]) => key !== '$schema'));
}
