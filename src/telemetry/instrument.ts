import type { MooringEvent } from '../core/events.js';
import type { MooringEventName } from '../core/event-table.js';
import type { SuccessReport } from '../core/kpis/kpi.js';
import type { Mooring } from '../core/mooring.js';

/** The values of a measurement's labels. */
export type Labels = Readonly<Record<string, string>>;

/** A number in its instrument's unit, and its labels. */
export interface Measurement {
  readonly value: number;
  readonly labels?: Labels;
}

/** What gauges are read from, once for all of them. */
export interface Reading {
  readonly mooring: Mooring;
  readonly kpis: SuccessReport;
}

/** The events an instrument listens to, and what it takes from each. */
export type Feeds = { readonly [Name in MooringEventName]?: (event: MooringEvent<Name>) => readonly Measurement[] };

interface Described {
  /** A sentence or two, for readers of the metric. */
  readonly about: string;
  /** Seconds, bytes, what is counted in braces, or nothing, in the notation of OpenTelemetry (UCUM). */
  readonly unit: 's' | 'By' | `{${string}}` | '';
  /** All values of each label. Any other value is counted as {@link otherValue}. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
}

/** A number that only grows. */
export interface CounterInstrument extends Described {
  readonly kind: 'counter';
  readonly fedBy: Feeds;
}

/** How many durations are in each bucket. */
export interface HistogramInstrument extends Described {
  readonly kind: 'histogram';
  /** Upper bounds, in the instrument's unit, ascending. */
  readonly buckets: readonly number[];
  readonly fedBy: Feeds;
}

/** A number that is read at each collection. */
export interface GaugeInstrument extends Described {
  readonly kind: 'gauge';
  /** Measurements by label; none if there is nothing to say. */
  readonly read: (from: Reading) => readonly Measurement[];
}

export type Instrument = CounterInstrument | HistogramInstrument | GaugeInstrument;

/** Stands for every value of a label that is not in its set, so that no client can add time series. */
export const otherValue = 'other';

/** The names of a table, as a set of label values. */
export function namesOf<Name extends string>(table: Readonly<Record<Name, unknown>>): readonly Name[] {
  return Object.freeze(Object.keys(table) as Name[]);
}
