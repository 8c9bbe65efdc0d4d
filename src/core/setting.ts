import { z } from 'zod';

/** How a setting is written outside code: durations want a unit there, and lose the `Ms` of their name. */
export type SettingKind = 'duration' | 'integer' | 'ratio' | 'choice' | 'flag' | 'text' | 'table';

/** Milliseconds. @param max @default a day */
export function duration(min: number, max = 86_400_000) {
  return () => z.number().min(min).max(max);
}
export const bytes = (max: number) => () => z.int().min(0).max(max);
export const ratio = () => z.number().gt(0).lte(1);
export const closeCode = () => z.union([z.int().min(3000).max(4999), z.literal([1000, 1008, 1011, 1012, 1013])]);

/** A setting: its row in the table of all. */
export interface Setting {
  readonly kind: SettingKind;
  /** Makes its schema: only for values that were given, since making all of them takes a part of each start. */
  readonly schema: () => z.ZodType;
  /** Absent: the environment's preset has it, or it follows another setting. */
  readonly default?: unknown;
  /** Its default, if that depends on another setting. */
  readonly follows?: (values: { readonly emergencyCleanupTimeoutMs: number }) => number;
  readonly about: string;
}
