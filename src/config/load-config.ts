import { ConfigurationError } from '../core/errors.js';
import { presets, type Environment } from '../core/presets.js';
import { formerNames, type SettingOverrides } from '../core/setting-overrides.js';
import { settingNames, settings, type SettingName, type WebSocketConfig } from '../core/settings.js';
import { contradictions } from './contradictions.js';
import { didYouMean } from './did-you-mean.js';
import { environmentOf, settingVariables, type Variables } from './environment.js';
import { issuesOf, readWritten, spellingsOf, type Spellings } from './written-settings.js';

export type { WebSocketConfig } from '../core/settings.js';

/** Where the value of a setting came from, weakest first. */
export type SettingSource = 'preset' | 'machine' | 'demo' | 'file' | 'environment' | 'code' | 'flag';

/** What a configuration is made of; each part overrides those before it, setting by setting. */
export interface ConfigSources {
  /** Environment variables: the environment's name, and `MOORING_<SETTING>`. @default none */
  readonly env?: Variables | undefined;
  /** The environment, whatever the variables say. */
  readonly environment?: string | undefined;
  /** Defaults made for this machine; durations in milliseconds. */
  readonly machine?: Partial<WebSocketConfig> | undefined;
  /** What `mooring demo` is made for; durations in milliseconds. */
  readonly demo?: Partial<WebSocketConfig> | undefined;
  /** The parsed configuration file; durations with a unit, e.g. `{ "idleManagerTimeout": "120s" }`. `$schema` is ignored. */
  readonly file?: Readonly<Record<string, unknown>> | undefined;
  /** Settings given in code; durations in milliseconds. */
  readonly overrides?: SettingOverrides | undefined;
  /** `--set` flags: name and value as written. */
  readonly flags?: readonly (readonly [name: string, written: string])[] | undefined;
}

/** A complete configuration, and how it came to be. */
export interface LoadedConfig {
  readonly config: WebSocketConfig;
  readonly environment: Environment;
  readonly sources: Readonly<Record<SettingName, SettingSource>>;
  /** Sentences for the log: unknown variables, an unknown `NODE_ENV`, former names of settings. */
  readonly warnings: readonly string[];
  /** Those of the warnings that tell of a former name. */
  readonly renamed: readonly string[];
}

/**
 * Puts a configuration together and checks all of it. Each source wins over those before it: preset, machine, demo,
 * file, environment variables, code, flags. Overriding one setting never resets another.
 * @throws ConfigurationError with every problem found
 */
export function loadConfig(given: ConfigSources = {}): LoadedConfig {
  const env = given.env ?? {};
  const { environment, problem, warning } = environmentOf(given.environment, env);
  const draft = new Draft(problem, warning);
  draft.put('preset', 'code', Object.entries(presets[environment]));
  draft.put('machine', 'code', Object.entries(given.machine ?? {}));
  draft.put('demo', 'code', Object.entries(given.demo ?? {}));
  draft.put('file', 'outside', Object.entries(given.file ?? {}).filter(isNoSchema));
  draft.put('environment', 'variable', settingVariables(env));
  draft.put('code', 'code', Object.entries(given.overrides ?? {}));
  draft.put('flag', 'outside', given.flags ?? []);
  const { sources, warnings, renamed } = draft;
  return { config: draft.finish(), environment, sources, warnings: [...warnings, ...renamed], renamed };
}

/** `$schema` tells editors where the schema of the file is. */
const isNoSchema = ([name]: readonly [string, unknown]): boolean => name !== '$schema';

/** A name that a setting has or had. */
interface KnownName extends Spellings {
  readonly setting: SettingName;
}

const knownNames: readonly KnownName[] = [
  ...settingNames.map((name) => ({ setting: name, ...spellingsOf(name) })),
  ...Object.entries(formerNames).map(([former, name]) => ({ setting: name, ...spellingsOf(name, former) })),
];

/** A configuration that is being put together. */
class Draft {
  readonly #values: Partial<Record<SettingName, unknown>> = {};
  readonly #problems: string[];
  readonly sources = {} as Record<SettingName, SettingSource>;
  readonly warnings: string[];
  readonly renamed: string[] = [];

  constructor(problem?: string, warning?: string) {
    this.#problems = problem === undefined ? [] : [problem];
    this.warnings = warning === undefined ? [] : [warning];
    for (const name of settingNames) {
      const setting = settings[name];
      this.#values[name] = 'default' in setting ? setting.default : undefined;
      this.sources[name] = 'preset';
    }
  }

  /** @param spelling how this source writes names; in code values are as they are, elsewhere as people write them */
  put(
    source: SettingSource,
    spelling: keyof Spellings,
    entries: Iterable<readonly [name: string, given: unknown]>,
  ): void {
    for (const [label, given] of entries) {
      if (spelling === 'code' && given === undefined) continue;
      const known = knownNames.find((each) => each[spelling] === label);
      if (known === undefined) this.#reportUnknown(spelling, label);
      else {
        const read = spelling === 'code' ? { value: given } : readWritten(known.setting, given);
        if ('problem' in read) this.#problems.push(`${label}: ${read.problem}`);
        else if (!this.#isOutranked(source, spelling, known)) {
          this.#values[known.setting] = read.value;
          this.sources[known.setting] = source;
        }
      }
    }
  }

  /** @throws ConfigurationError */
  finish(): WebSocketConfig {
    this.#followOthers();
    for (const name of settingNames) if (this.#isGiven(name)) this.#check(name);
    const config = Object.freeze({ ...this.#values }) as WebSocketConfig;
    if (this.#problems.length === 0) this.#problems.push(...contradictions(config));
    if (this.#problems.length > 0) throw new ConfigurationError(this.#problems);
    return config;
  }

  /** An unknown variable may belong to another program: it is a warning only. */
  #reportUnknown(spelling: keyof Spellings, label: string): void {
    const names = settingNames.map((name) => spellingsOf(name)[spelling]);
    const inCode = knownNames.find(({ code }) => code === label);
    const suggestion =
      inCode === undefined ? didYouMean(label, names) : `; outside code it is written ${inCode.outside}, with a unit`;
    if (spelling === 'variable') this.warnings.push(`${label} is set but names no setting${suggestion}`);
    else this.#problems.push(`${label}: there is no such setting${suggestion}`);
  }

  /** Whether it is a former name, and the same source has the present name too. A former name is always reported. */
  #isOutranked(source: SettingSource, spelling: keyof Spellings, { setting, ...name }: KnownName): boolean {
    if (name.code === setting) return false;
    const present = spellingsOf(setting)[spelling];
    this.renamed.push(`${name[spelling]} is called ${present} now; the old name goes on working`);
    return this.sources[setting] === source;
  }

  /** Settings that no source gave, and whose default depends on another setting. */
  #followOthers(): void {
    const { emergencyCleanupTimeoutMs } = this.#values;
    if (typeof emergencyCleanupTimeoutMs !== 'number') return; // it is reported by itself
    for (const name of settingNames) {
      const setting = settings[name];
      if ('follows' in setting) this.#values[name] ??= setting.follows({ emergencyCleanupTimeoutMs });
    }
  }

  /** Whether its value depends on what was given. The presets are tested, and making a schema takes time. */
  #isGiven(name: SettingName): boolean {
    return this.sources[name] !== 'preset' || 'follows' in settings[name];
  }

  #check(name: SettingName): void {
    const value = this.#values[name];
    const { error } = settings[name].schema().safeParse(value);
    if (error === undefined) return;
    const got = value === undefined ? 'nothing' : typeof value === 'number' ? String(value) : JSON.stringify(value);
    this.#problems.push(`${name}: got ${got}; ${issuesOf(error)}`);
  }
}

/** The configuration as `get_cleanup_config` of the original sketch gives it: durations in seconds. */
export interface CleanupConfig {
  readonly emergencyTimeout: number;
  readonly backgroundInterval: number;
  readonly proactiveThreshold: number;
  /** `null` if it is off. */
  readonly idleTimeout: number | null;
  readonly maxManagers: number;
}

/** The five numbers that `get_cleanup_config` of the original sketch gives. Never throws. */
export function getCleanupConfig(config: WebSocketConfig): CleanupConfig {
  return {
    emergencyTimeout: config.emergencyCleanupTimeoutMs / 1000,
    backgroundInterval: config.backgroundCleanupIntervalMs / 1000,
    proactiveThreshold: config.proactiveCleanupThreshold,
    idleTimeout: config.idleManagerTimeoutMs === null ? null : config.idleManagerTimeoutMs / 1000,
    maxManagers: config.maxManagersPerUser,
  };
}
