import type { QuotaLedger } from './core/quota/quota-ledger.js';
import { loadConfig, type ConfigSources, type LoadedConfig } from './config/load-config.js';
import { describe } from './core/errors.js';
import { checkIsKeepalive, type IsKeepalive } from './core/liveness/keepalives.js';
import type { LimitOf } from './core/managers/limits.js';
import { Mooring } from './core/mooring.js';
import { settingNames, type SettingOverrides, type WebSocketConfig } from './core/settings.js';
import type { Random, Time } from './core/time.js';
import { edgeEvents } from './events/edge-events.js';
import { SystemTime } from './runtime/system-time.js';

/** What can be said to {@link createMooring}; all of it is optional. */
export interface MooringOptions {
  /** Settings by name, durations in milliseconds. They win over environment variables. */
  readonly config?: SettingOverrides;
  /** `production`, `staging`, `development` or `test`. @default MOORING_ENV, NETRA_ENV, NODE_ENV, then development */
  readonly environment?: string;
  /** The environment variables to read. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Another limit for some users, e.g. by plan. It must give an integer of at least 0, or `Infinity`, at once. */
  readonly limitOf?: LimitOf;
  /**
   * Messages that are keepalives beside the presets, e.g. `(message) => message === 'tick'`; see {@link IsKeepalive}.
   * @default none
   */
  readonly isKeepalive?: IsKeepalive;
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
 * @throws ConfigurationError with every problem of the configuration at once; TypeError for options there are not
 */
export function createMooring(options: MooringOptions = {}): Mooring {
  checkOptions(options);
  const { environment, config: overrides, limitOf, isKeepalive, ledger } = options;
  const { config, renamed } = loadProcessConfig({ env: options.env, environment, overrides });
  tellOnce(renamed);
  const time = options.time ?? new SystemTime();
  return new Mooring({ config, time, random: options.random ?? Math.random, limitOf, isKeepalive, edgeEvents, ledger });
}

/** As `loadConfig`, with the process's own environment variables unless others are given. @throws ConfigurationError */
export function loadProcessConfig(given: ConfigSources = {}): LoadedConfig {
  return loadConfig({ ...given, env: given.env ?? process.env });
}

/** As {@link loadProcessConfig}, just the settings. @throws ConfigurationError @source seed, `WebSocketConfig` */
export function loadWebSocketConfig(given: ConfigSources = {}): WebSocketConfig {
  return loadProcessConfig(given).config;
}

const told = new Set<string>();

/** Former names of settings: a deprecation warning for each, once in this process. */
function tellOnce(sentences: readonly string[]): void {
  for (const sentence of sentences) {
    if (told.has(sentence)) continue;
    told.add(sentence);
    process.emitWarning(`Mooring: ${sentence}`, 'DeprecationWarning', 'MOORING_RENAMED');
  }
}

const optionNames: readonly string[] = [
  'config',
  'environment',
  'env',
  'limitOf',
  'isKeepalive',
  'ledger',
  'time',
  'random',
] satisfies (keyof MooringOptions)[];

/** A mistyped option would silently do nothing. */
function checkOptions(options: MooringOptions): void {
  for (const name of Object.keys(options)) {
    if (optionNames.includes(name)) continue;
    const isSetting = (settingNames as readonly string[]).includes(name);
    const hint = isSetting ? `it is a setting: { config: { ${name}: … } }` : `wanted ${optionNames.join(', ')}`;
    throw new TypeError(`createMooring has no option ${name}; ${hint}`);
  }
  checkIsKeepalive(options.isKeepalive);
  const { limitOf } = options;
  if (limitOf !== undefined && typeof limitOf !== 'function') {
    throw new TypeError(`limitOf: got ${describe(limitOf)}, wanted a function of the user id`);
  }
}
