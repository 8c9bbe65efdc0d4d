import { ConfigurationError } from '../core/errors.js';
import { environments, presets, type Environment } from '../core/presets.js';
import { formerNames, settingNames, settings } from '../core/settings.js';
import type { SettingName, SettingOverrides, WebSocketConfig } from '../core/settings.js';
import { outsideName, readWritten, variableName, variableOf, withoutUnit } from './written-settings.js';

export type { WebSocketConfig } from '../core/settings.js';

/** Where the value of a setting came from, weakest first. */
export type SettingSource = 'preset' | 'machine' | 'demo' | 'file' | 'environment' | 'code' | 'flag';

/** What a configuration is made of; each part overrides those before it, setting by setting. */
export interface ConfigSources {
  /** Environment variables: the environment's name, and `MOORING_<SETTING>`. @default none */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** The environment, whatever the variables say. */
  readonly environment?: string | undefined;
  /** Defaults made for this machine; durations in milliseconds. */
  readonly machine?: Partial<WebSocketConfig> | undefined;
  /** What `mooring demo` is made for; durations in milliseconds. */
  readonly demo?: Partial<WebSocketConfig> | undefined;
  /** The parsed configuration file; durations with a unit, e.g. `{ "idleManagerTimeout": "120s" }`. */
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

/** The configuration as the seed's `get_cleanup_config` gives it: durations in seconds. */
export interface CleanupConfig {
  readonly emergencyTimeout: number;
  readonly backgroundInterval: number;
  readonly proactiveThreshold: number;
  /** `null` where it is off. */
  readonly idleTimeout: number | null;
  readonly maxManagers: number;
}

/**
 * Puts a configuration together and checks all of it. Precedence: flags, code, environment variables, file, demo,
 * machine, preset;
 * overriding one setting never resets another.
 * @throws ConfigurationError with every problem found
 */
export function loadConfig(given: ConfigSources = {}): LoadedConfig {
  const draft = new Draft();
  const environment = environmentOf(given, draft);
  draft.put('preset', presets[environment]);
  draft.put('machine', given.machine ?? {});
  draft.put('demo', given.demo ?? {});
  for (const [name, value] of Object.entries(given.file ?? {})) draft.putWritten('file', name, value);
  putVariables(given.env ?? {}, draft);
  draft.put('code', given.overrides ?? {});
  for (const [name, written] of given.flags ?? []) draft.putWritten('flag', name, written);
  return {
    config: draft.finish(),
    environment,
    sources: draft.sources,
    warnings: [...draft.warnings, ...draft.renamed],
    renamed: draft.renamed,
  };
}

/** The five numbers the seed calls the cleanup configuration, in seconds. Never throws. */
export function getCleanupConfig(config: WebSocketConfig): CleanupConfig {
  return {
    emergencyTimeout: config.emergencyCleanupTimeoutMs / 1000,
    backgroundInterval: config.backgroundCleanupIntervalMs / 1000,
    proactiveThreshold: config.proactiveCleanupThreshold,
    idleTimeout: config.idleManagerTimeoutMs === null ? null : config.idleManagerTimeoutMs / 1000,
    maxManagers: config.maxManagersPerUser,
  };
}

/** A name a setting goes by, present or former, in code and outside. */
interface KnownName {
  readonly name: SettingName;
  readonly inCode: string;
  readonly outside: string;
  readonly variable: string;
}

const knownNames: readonly KnownName[] = [
  ...settingNames.map((name) => [name, name] as const),
  ...Object.entries(formerNames),
].map(([inCode, name]) => {
  const outside = withoutUnit(inCode, name);
  return { name, inCode, outside, variable: variableOf(outside) };
});

class Draft {
  readonly #values: Partial<Record<SettingName, unknown>> = {};
  readonly sources = {} as Record<SettingName, SettingSource>;
  readonly problems: string[] = [];
  readonly warnings: string[] = [];
  readonly renamed: string[] = [];

  constructor() {
    for (const name of settingNames) {
      const setting = settings[name];
      this.#values[name] = 'default' in setting ? setting.default : undefined;
      this.sources[name] = 'preset';
    }
  }

  put(source: SettingSource, values: object): void {
    for (const [label, value] of Object.entries(values)) {
      if (value === undefined) continue;
      const known = knownNames.find(({ inCode }) => inCode === label);
      if (known === undefined)
        this.problems.push(`${label}: there is no such setting${didYouMean(label, settingNames)}`);
      else if (this.#isHeard(source, known, label)) this.#set(source, known.name, value);
    }
  }

  putWritten(source: SettingSource, label: string, written: unknown): void {
    const known = knownNames.find(({ outside }) => outside === label);
    if (known === undefined) this.problems.push(`${label}: there is no such setting${hintFor(label)}`);
    else this.putKnown(source, { known, label, written });
  }

  putKnown(source: SettingSource, given: { known: KnownName; label: string; written: unknown }): void {
    const { known, label, written } = given;
    const read = readWritten(known.name, written);
    if ('problem' in read) this.problems.push(`${label}: ${read.problem}`);
    else if (this.#isHeard(source, known, label)) this.#set(source, known.name, read.value);
  }

  finish(): WebSocketConfig {
    this.#followOthers();
    for (const name of settingNames) this.#check(name);
    const config = Object.freeze({ ...this.#values }) as WebSocketConfig;
    if (this.problems.length === 0) this.problems.push(...contradictions(config));
    if (this.problems.length > 0) throw new ConfigurationError(this.problems);
    return config;
  }

  /** A former name is told, and heard unless the same source has the present one too. */
  #isHeard(source: SettingSource, { name, inCode }: KnownName, label: string): boolean {
    if (inCode === name) return true;
    const present = label === inCode ? name : label.startsWith('MOORING_') ? variableName(name) : outsideName(name);
    this.renamed.push(`${label} is called ${present} now; the old name goes on working`);
    return this.sources[name] !== source;
  }

  /** Settings that nobody gave, and that depend on another one. */
  #followOthers(): void {
    const { emergencyCleanupTimeoutMs } = this.#values;
    if (typeof emergencyCleanupTimeoutMs !== 'number') return; // it is reported by itself
    for (const name of settingNames) {
      const setting = settings[name];
      if ('follows' in setting) this.#values[name] ??= setting.follows({ emergencyCleanupTimeoutMs });
    }
  }

  #set(source: SettingSource, name: SettingName, value: unknown): void {
    this.#values[name] = value;
    this.sources[name] = source;
  }

  #check(name: SettingName): void {
    const result = settings[name].schema.safeParse(this.#values[name]);
    if (result.success) return;
    const wanted = result.error.issues.map((issue) => [issue.path.join('.'), issue.message].filter(Boolean).join(': '));
    this.problems.push(`${name}: got ${show(this.#values[name])}; ${wanted.join('; ')}`);
  }
}

/** What no single setting can tell. */
function contradictions(config: WebSocketConfig): string[] {
  const problems: string[] = [];
  const { evictionFloorRatio, patienceRatio, probeTimeoutMs, emergencyCleanupTimeoutMs } = config;
  const { minSilenceMs, backlogExcuseMs } = config;
  const { proactiveCleanupThreshold, criticalThreshold, emergencyThreshold } = config;
  if (evictionFloorRatio > patienceRatio) {
    problems.push(
      `evictionFloorRatio: got ${String(evictionFloorRatio)}, wanted at most patienceRatio (${String(patienceRatio)}): patience never grows with pressure`,
    );
  }
  if (2 * probeTimeoutMs > emergencyCleanupTimeoutMs / 2) {
    problems.push(
      `probeTimeoutMs: got ${String(probeTimeoutMs)}, wanted at most a quarter of emergencyCleanupTimeoutMs (${String(emergencyCleanupTimeoutMs)}): two probes must fit into half of it`,
    );
  }
  const longest = [
    { name: 'minSilenceMs', valueMs: minSilenceMs, share: 0.6 },
    { name: 'backlogExcuseMs', valueMs: backlogExcuseMs, share: 0.8 },
  ];
  for (const { name, valueMs, share } of longest) {
    if (valueMs <= share * emergencyCleanupTimeoutMs) continue;
    problems.push(
      `${name}: got ${String(valueMs)}, wanted at most ${String(100 * share)} % of emergencyCleanupTimeoutMs (${String(emergencyCleanupTimeoutMs)}): a cleanup must see it pass`,
    );
  }
  if (!(proactiveCleanupThreshold <= criticalThreshold && criticalThreshold <= emergencyThreshold)) {
    problems.push(
      `proactiveCleanupThreshold, criticalThreshold, emergencyThreshold: got ${[proactiveCleanupThreshold, criticalThreshold, emergencyThreshold].join(', ')}; wanted them in rising order`,
    );
  }
  return problems;
}

function environmentOf(given: ConfigSources, draft: Draft): Environment {
  const env = given.env ?? {};
  const named: [string, string | undefined][] = [
    ['environment', given.environment],
    ['MOORING_ENV', env['MOORING_ENV']],
    ['NETRA_ENV', env['NETRA_ENV']],
  ];
  for (const [label, value] of named) {
    if (value === undefined || value === '') continue;
    if (isEnvironment(value)) return value;
    draft.problems.push(`${label}: got "${value}", wanted one of ${environments.join(', ')}`);
    return 'production';
  }
  const nodeEnv = env['NODE_ENV'];
  if (nodeEnv === undefined || nodeEnv === '') return 'development';
  if (isEnvironment(nodeEnv)) return nodeEnv;
  draft.warnings.push(`NODE_ENV is "${nodeEnv}", which names no environment here; using development`);
  return 'development';
}

function putVariables(env: Readonly<Record<string, string | undefined>>, draft: Draft): void {
  const names = new Map(knownNames.map((known) => [known.variable, known]));
  for (const [variable, written] of Object.entries(env)) {
    if (!variable.startsWith('MOORING_') || written === undefined || isNotOurs(variable, written)) continue;
    const known = names.get(variable);
    if (known !== undefined) draft.putKnown('environment', { known, label: variable, written });
    else draft.warnings.push(`${variable} is set but names no setting${didYouMean(variable, [...names.keys()])}`);
  }
}

/** Variables that other parts of Mooring read. */
const knownElsewhere: ReadonlySet<string> = new Set([
  ...['MOORING_ENV', 'MOORING_ADMIN_URL', 'MOORING_ADMIN_TOKEN'],
  ...['MOORING_ADMIN_READ_TOKEN', 'MOORING_ADMIN_ACT_TOKEN'],
]);

/** Kubernetes tells every pod of services called `mooring` and `mooring-admin` where those are; nobody meant to configure anything by it. */
const fromKubernetes = /^MOORING_(ADMIN_)?(SERVICE_(HOST|PORT)(_.*)?|PORT(_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?)$/;

function isNotOurs(variable: string, written: string): boolean {
  if (knownElsewhere.has(variable)) return true;
  return fromKubernetes.test(variable) && (!/^MOORING_(ADMIN_)?PORT$/.test(variable) || written.includes('://'));
}

function isEnvironment(value: string): value is Environment {
  return (environments as readonly string[]).includes(value);
}

function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(settings, name);
}

function hintFor(label: string): string {
  if (isSettingName(label)) return `; outside code it is written ${outsideName(label)}, with a unit`;
  return didYouMean(label, settingNames.map(outsideName));
}

function didYouMean(name: string, candidates: readonly string[]): string {
  const ranked = candidates.map((candidate) => ({ candidate, distance: distance(name, candidate) }));
  const best = ranked.sort((a, b) => a.distance - b.distance)[0];
  return best !== undefined && best.distance <= 3 ? `; did you mean ${best.candidate}?` : '';
}

/** The number of single-character edits between two names, case apart. */
function distance(a: string, b: string): number {
  const target = b.toLowerCase();
  let row = Array.from({ length: target.length + 1 }, (_, index) => index);
  const source = a.toLowerCase();
  for (let i = 0; i < source.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < target.length; j++) {
      const substitution = (row[j] ?? 0) + (source[i] === target[j] ? 0 : 1);
      next.push(Math.min(substitution, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[target.length] ?? Infinity;
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  return typeof value === 'number' ? String(value) : JSON.stringify(value);
}
