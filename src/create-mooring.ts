import { loadConfig, type ConfigSources, type LoadedConfig } from './config/load-config.js';
import type { MooringSetup } from './core/compose.js';
import { describe } from './core/errors.js';
import { checkIsKeepalive } from './core/liveness/keepalives.js';
import { Mooring } from './core/mooring.js';
import type { SettingOverrides } from './core/setting-overrides.js';
import type { WebSocketConfig } from './core/settings.js';
import type { Random, Time } from './core/time.js';
import { edgeEvents } from './events/edge-events.js';
import { NodeChannels } from './runtime/node-channels.js';
import { SystemTime } from './runtime/system-time.js';

/**
 * Options of {@link createMooring}; all are optional. Settings are options too, by name and with durations in
 * milliseconds; they take precedence over environment variables.
 */
export interface MooringOptions extends SettingOverrides, Pick<MooringSetup, 'limitOf' | 'isKeepalive' | 'ledger'> {
  /** @deprecated since 0.2: settings are options themselves. */
  readonly config?: SettingOverrides | undefined;
  /** `production`, `staging`, `development` or `test`. @default MOORING_ENV, NETRA_ENV, NODE_ENV, then development */
  readonly environment?: string | undefined;
  /** The environment variables to read. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Another clock, for tests. @default the real one */
  readonly time?: Time;
  /** Another source of randomness, for tests. @default Math.random */
  readonly random?: Random;
}

/**
 * A Mooring, ready for use.
 *
 * @example
 * const mooring = createMooring({ maxManagersPerUser: 5 });
 * @throws ConfigurationError with every problem of the configuration at once; TypeError for options of the wrong type
 */
export function createMooring(options: MooringOptions = {}): Mooring {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- it goes on working
  const { environment, env, limitOf, isKeepalive, ledger, time, random, config: nested, ...settings } = options;
  checkIsKeepalive(isKeepalive);
  checkLimitOf(limitOf);
  const { config, renamed } = loadProcessConfig({ env, environment, overrides: { ...nested, ...settings } });
  for (const sentence of renamed) tellOnce(sentence);
  if (nested !== undefined) tellOnce(`the option config of createMooring is not needed: ${flatForm}`);
  return new Mooring({
    config,
    time: time ?? new SystemTime(),
    random: random ?? Math.random,
    limitOf,
    isKeepalive,
    edgeEvents,
    channels: new NodeChannels(),
    tellRenamed,
    ledger,
  });
}

const flatForm =
  'settings stand beside the other options now, as in { maxManagersPerUser: 5 }; the old form goes on working';

function tellRenamed(old: string, now: string): void {
  tellOnce(`${old} is called ${now} now; the old name goes on working`);
}

/** As `loadConfig`, with the process's own environment variables unless others are given. @throws ConfigurationError */
export function loadProcessConfig(given: ConfigSources = {}): LoadedConfig {
  return loadConfig({ ...given, env: given.env ?? process.env });
}

/** As {@link loadProcessConfig}, just the settings. @throws ConfigurationError */
export function loadWebSocketConfig(given: ConfigSources = {}): WebSocketConfig {
  return loadProcessConfig(given).config;
}

const told = new Set<string>();

/** Emits a deprecation warning, once in this process. */
function tellOnce(sentence: string): void {
  if (told.has(sentence)) return;
  told.add(sentence);
  process.emitWarning(`Mooring: ${sentence}`, 'DeprecationWarning', 'MOORING_RENAMED');
}

function checkLimitOf(limitOf: unknown): void {
  if (limitOf === undefined || typeof limitOf === 'function') return;
  throw new TypeError(`limitOf: got ${describe(limitOf)}, wanted a function of the user id`);
}
