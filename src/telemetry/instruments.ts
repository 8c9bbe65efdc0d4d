import { counted } from './counted.js';
import { gauges } from './gauges.js';
import type { Instrument } from './instrument.js';

/**
 * Everything that is measured, by its name in Prometheus: one table for both exporters, the reference, the alerts and
 * the dashboard. No label tells users, threads or keys apart.
 */
export const instruments = Object.freeze({ ...gauges, ...counted }) satisfies Record<string, Instrument>;

/** A name of {@link instruments}. */
export type InstrumentName = keyof typeof instruments;

/** The table as rows, for code that treats all alike. */
export const namedInstruments = Object.freeze(Object.entries(instruments) as [InstrumentName, Instrument][]);

const unitWords: Readonly<Record<string, string>> = Object.freeze({ s: '_seconds', By: '_bytes' });

/**
 * The instrument's name in OpenTelemetry: with a dot, without unit and kind, which are said apart. A collector that
 * exports to Prometheus makes the same Prometheus name of it again.
 * @example mooring_cleanup_seconds → mooring.cleanup
 */
export function openTelemetryName(name: string, { kind, unit }: Pick<Instrument, 'kind' | 'unit'>): string {
  const ending = `${unitWords[unit] ?? ''}${kind === 'counter' ? '_total' : ''}`;
  return name.slice(0, name.length - ending.length).replace('_', '.');
}
