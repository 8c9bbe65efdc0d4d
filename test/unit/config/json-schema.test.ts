import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { settingsSchema } from '../../../src/config/json-schema.js';
import { loadConfig } from '../../../src/config/load-config.js';
import { outsideName, writeSetting } from '../../../src/config/written-settings.js';
import { presets } from '../../../src/core/presets.js';
import { settingNames, settings } from '../../../src/core/settings.js';

const validate = new Ajv2020({ strict: true }).compile(settingsSchema());

describe('the JSON schema of a configuration file', () => {
  it.each(Object.keys(presets))('accepts the settings of %s as they are written', (environment) => {
    const { config } = loadConfig({ environment });
    const file = Object.fromEntries(
      settingNames.map((name) => {
        const value = config[name];
        return [outsideName(name), settings[name].kind === 'duration' ? writeSetting(name, value) : value];
      }),
    );
    expect(validate(file), JSON.stringify(validate.errors)).toBe(true);
    expect(loadConfig({ environment, file }).config).toEqual(config);
  });

  it.each([
    [{ $schema: './mooring.schema.json', maxManagersPerUser: 5, idleManagerTimeout: 'off' }, true],
    [{ idleManagerTimeout: '1.5h', forcedEviction: 'by-level' }, true],
    [{ closeCodes: { idle: 4000 } }, true],
    [{ closeCodes: 'graphql-ws' }, true],
    [{ closeCodes: 'graphql' }, false],
    [{ idleManagerTimeout: 120 }, false],
    [{ idleManagerTimeout: '120' }, false],
    [{ heartbeatInterval: 'off' }, false],
    [{ maxManagersPerUser: -1 }, false],
    [{ closeCodes: { nonsense: 4000 } }, false],
    [{ idleManagerTimeoutMs: 120_000 }, false],
  ])('of %j says %s, as the loader does', (file, isValid) => {
    const isLoaded = (): boolean => {
      try {
        loadConfig({ environment: 'production', file });
        return true;
      } catch {
        return false;
      }
    };
    expect([validate(file), isLoaded()]).toEqual([isValid, isValid]);
  });
});
