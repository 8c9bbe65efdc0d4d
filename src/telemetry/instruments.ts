import { counted } from './counted.js';
import { gauges } from './gauges.js';
import type { Instrument } from './instrument.js';

/**
 * All metrics by their name in Prometheus: one table for both exporters, the reference, the alerts and the dashboard. No
 * label has users, threads or keys.
 */
export const instruments = Object.freeze({ ...gauges, ...counted }) satisfies Record<string, Instrument>;

export type InstrumentName = keyof typeof instruments;

export const namedInstruments = Object.freeze(Object.entries(instruments) as [InstrumentName, Instrument][]);

const unitWords: Readonly<Record<string, string>> = Object.freeze({ s: '_seconds', By: '_bytes' });

/**
 * The instrument's name in OpenTelemetry: with a dot, and without unit and kind, which are separate fields there. A
 * collector that exports to Prometheus restores the Prometheus name.
 * @example mooring_cleanup_seconds → mooring.cleanup
 */
export function openTelemetryName(name: string, { kind, unit }: Pick<Instrument, 'kind' | 'unit'>): string {
  const ending = `${unitWords[unit] ?? ''}${kind === 'counter' ? '_total' : ''}`;
  return name.slice(0, name.length - ending.length).replace('_', '.');
}
