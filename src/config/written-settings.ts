import { readDuration, writeDuration } from '../core/durations.js';
import { settings, type SettingName } from '../core/settings.js';

/** The name outside code: `idleManagerTimeoutMs` is written `idleManagerTimeout`, since its value has a unit there. */
export function outsideName(name: SettingName): string {
  return withoutUnit(name, name);
}

/** The environment variable of a setting: `MOORING_IDLE_MANAGER_TIMEOUT`. */
export function variableName(name: SettingName): string {
  return variableOf(outsideName(name));
}

/** @internal A name of a setting, present or former, as it is written outside code. */
export function withoutUnit(inCode: string, name: SettingName): string {
  return settings[name].kind === 'duration' ? inCode.slice(0, -'Ms'.length) : inCode;
}

/** @internal The environment variable for a name as it is written outside code. */
export function variableOf(outside: string): string {
  return `MOORING_${outside.replace(/[A-Z]/g, '_$&').toUpperCase()}`;
}

/** A value as written outside code, or what is wrong with it. */
export type Written = { readonly value: unknown } | { readonly problem: string };

/** Reads what a person wrote for a setting. Durations want a unit: a bare 120 could be seconds as well as milliseconds. */
export function readWritten(name: SettingName, written: unknown): Written {
  const { kind } = settings[name];
  if (kind === 'table') return typeof written === 'string' ? readJson(written) : { value: written };
  if (typeof written === 'string' && written.trim() === 'off' && canBeOff(name)) return { value: null };
  if (kind === 'duration') return readDuration(written);
  if (typeof written !== 'string') return { value: written };
  const text = written.trim();
  if (kind === 'choice') return { value: text };
  if (kind === 'flag') return text === 'true' ? { value: true } : text === 'false' ? { value: false } : { value: text };
  if (text === 'none') return { value: null };
  if (/^[0-9]+(\.[0-9]+)?$/.test(text)) return { value: Number(text) };
  return { problem: `got "${written}", wanted a number of at least 0` };
}

/** Whether it is a duration that need not be one. */
function canBeOff(name: SettingName): boolean {
  const { kind, schema } = settings[name];
  return kind === 'duration' && schema.safeParse(null).success;
}

function readJson(text: string): Written {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return { problem: `got "${text}", wanted a JSON object such as {"idle":4408}` };
  }
}

/** A value as it may be written outside code. */
export function writeSetting(name: SettingName, value: unknown): string {
  if (value === null) return canBeOff(name) ? 'off' : 'none';
  if (typeof value === 'number') return settings[name].kind === 'duration' ? writeDuration(value) : String(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
