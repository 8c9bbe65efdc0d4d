import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadConfig, type SettingSource } from '../../src/config/load-config.js';
import type { Environment } from '../../src/core/presets.js';
import { settingNames, type SettingName } from '../../src/core/settings.js';
import { outsideName, variableName } from '../../src/config/written-settings.js';

/** Settings that go with each other whatever they are, and values near every preset's. */
const values = {
  maxManagersPerUser: fc.integer({ min: 10, max: 50 }),
  idleManagerTimeoutMs: fc.integer({ min: 120, max: 900 }).map((seconds) => seconds * 1_000),
  heartbeatIntervalMs: fc.integer({ min: 10, max: 30 }).map((seconds) => seconds * 1_000),
  backgroundCleanupIntervalMs: fc.integer({ min: 10, max: 90 }).map((seconds) => seconds * 1_000),
  ticketMs: fc.integer({ min: 5, max: 20 }).map((seconds) => seconds * 1_000),
} as const satisfies Partial<Record<SettingName, fc.Arbitrary<number>>>;

const names = Object.keys(values) as (keyof typeof values)[];

/** Some of them, from one source. */
const some = fc.record(values, { requiredKeys: [] });

const sources = fc.record({ file: some, environment: some, code: some, flag: some });

/** Weakest first. */
const order = ['file', 'environment', 'code', 'flag'] as const satisfies SettingSource[];

const written = (name: SettingName, value: number): string => (name.endsWith('Ms') ? `${value}ms` : String(value));

const entries = (part: Partial<Record<string, number>>): [SettingName, number][] =>
  Object.entries(part).flatMap(([name, value]) => (value === undefined ? [] : [[name as SettingName, value]]));

describe('a configuration', () => {
  it('takes each setting from the strongest source that has it, and the others from the preset', () => {
    const environments = fc.constantFrom<Environment>('production', 'staging', 'development');
    fc.assert(
      fc.property(environments, sources, (environment, given) => {
        const { config: preset } = loadConfig({ environment });
        const loaded = loadConfig({
          environment,
          file: Object.fromEntries(entries(given.file).map(([name, v]) => [outsideName(name), outside(name, v)])),
          env: Object.fromEntries(
            entries(given.environment).map(([name, v]) => [variableName(name), written(name, v)]),
          ),
          overrides: given.code,
          flags: entries(given.flag).map(([name, v]) => [outsideName(name), written(name, v)]),
        });
        for (const name of names) {
          const from = order.findLast((source) => given[source][name] !== undefined);
          expect([loaded.config[name], loaded.sources[name]]).toEqual(
            from === undefined ? [preset[name], 'preset'] : [given[from][name], from],
          );
        }
        const others = settingNames.filter((name) => !(name in values));
        for (const name of others) expect(loaded.sources[name]).toBe('preset');
      }),
    );
  });
});

const outside = (name: SettingName, value: number): number | string =>
  name.endsWith('Ms') ? written(name, value) : value;
