import type { z } from 'zod';
import { readDuration, writeDuration } from '../core/durations.js';
import { settings, type SettingName } from '../core/settings.js';

/** A name of a setting, as each kind of source writes it. */
export interface Spellings {
  /** `idleManagerTimeoutMs` */
  readonly code: string;
  /** `idleManagerTimeout`: without a unit, since the value has one there. */
  readonly outside: string;
  /** `MOORING_IDLE_MANAGER_TIMEOUT` */
  readonly variable: string;
}

/** @internal The spellings of a setting's name. @param code a former name, if it is not the present one */
export function spellingsOf(name: SettingName, code: string = name): Spellings {
  const outside = settings[name].kind === 'duration' ? code.slice(0, -'Ms'.length) : code;
  return { code, outside, variable: `MOORING_${outside.replace(/[A-Z]/g, '_$&').toUpperCase()}` };
}

/** The name outside code: `idleManagerTimeoutMs` is written `idleManagerTimeout`, since its value has a unit there. */
export const outsideName = (name: SettingName): string => spellingsOf(name).outside;

/** The environment variable of a setting: `MOORING_IDLE_MANAGER_TIMEOUT`. */
export const variableName = (name: SettingName): string => spellingsOf(name).variable;

/** A value as written outside code, or what is wrong with it. */
export type Written = { readonly value: unknown } | { readonly problem: string };

/** Reads what a person wrote for a setting. A duration needs a unit: a bare 120 could be seconds or milliseconds. */
export function readWritten(name: SettingName, written: unknown): Written {
  const { kind } = settings[name];
  if (kind === 'table') return typeof written === 'string' ? readTable(written) : { value: written };
  if (typeof written === 'string' && written.trim() === 'off' && canBeOff(name)) return { value: null };
  if (kind === 'duration') return readDuration(written);
  if (typeof written !== 'string') return { value: written };
  const text = written.trim();
  if (kind === 'choice' || kind === 'text') return { value: text };
  if (kind === 'flag') return text === 'true' ? { value: true } : text === 'false' ? { value: false } : { value: text };
  if (text === 'none') return { value: null };
  if (/^[0-9]+(\.[0-9]+)?$/.test(text)) return { value: Number(text) };
  return { problem: `got "${written}", wanted a number of at least 0` };
}

/** Whether it is a duration that may be `off`. */
export function canBeOff(name: SettingName): boolean {
  const { kind, schema } = settings[name];
  return kind === 'duration' && schema().safeParse(null).success;
}

/** The name of a profile, or a table as JSON. */
function readTable(text: string): Written {
  if (/^\s*[a-z][a-z-]*\s*$/.test(text)) return { value: text.trim() };
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return { problem: `got "${text}", wanted graphql-ws, or a JSON object such as {"idle":4408}` };
  }
}

/** Everything that is wrong with a value: `idle: wanted …; quota: wanted …`. */
export function issuesOf({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': ')).join('; ');
}

/** A value as it may be written outside code. */
export function writeSetting(name: SettingName, value: unknown): string {
  if (value === null) return canBeOff(name) ? 'off' : 'none';
  if (typeof value === 'number') return settings[name].kind === 'duration' ? writeDuration(value) : String(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
