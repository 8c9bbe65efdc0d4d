import type { QuotaLedger } from './core/admission/quota-ledger.js';
import { loadConfig, type ConfigSources, type LoadedConfig } from './core/config.js';
import type { LimitOf } from './core/managers/limits.js';
import { Mooring } from './core/mooring.js';
import type { WebSocketConfig } from './core/settings.js';
import type { Random, Time } from './core/time.js';
import { SystemTime } from './runtime/system-time.js';

/** What can be said to {@link createMooring}; all of it is optional. */
export interface MooringOptions {
  /** Settings by name, durations in milliseconds. They win over environment variables. */
  readonly config?: Partial<WebSocketConfig>;
  /** `production`, `staging`, `development` or `test`. @default MOORING_ENV, NETRA_ENV, NODE_ENV, then development */
  readonly environment?: string;
  /** The environment variables to read. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Another limit for some users, e.g. by plan. It must give an integer of at least 0, at once. */
  readonly limitOf?: LimitOf;
  /** A quota shared with other processes. */
  readonly ledger?: QuotaLedger;
  /** Another clock, for tests. @default the real one */
  readonly time?: Time;
  /** Another source of randomness, for tests. @default Math.random */
  readonly random?: Random;
}

/**
 * A Mooring, ready for use.
 *
 * @example
 * const mooring = createMooring({ config: { maxManagersPerUser: 5 } });
 * @throws ConfigurationError with every problem of the configuration at once
 */
export function createMooring(options: MooringOptions = {}): Mooring {
  const { environment, config: overrides, limitOf, ledger } = options;
  const { config } = loadProcessConfig({ env: options.env, environment, overrides });
  const time = options.time ?? new SystemTime();
  return new Mooring({ config, time, random: options.random ?? Math.random, limitOf, ledger });
}

/** As `loadConfig`, with the process's own environment variables unless others are given. @throws ConfigurationError */
export function loadProcessConfig(given: ConfigSources = {}): LoadedConfig {
  return loadConfig({ ...given, env: given.env ?? process.env });
}

/** As {@link loadProcessConfig}, just the settings. @throws ConfigurationError @source seed, `WebSocketConfig` */
export function loadWebSocketConfig(given: ConfigSources = {}): WebSocketConfig {
  return loadProcessConfig(given).config;
}
