import type { MooringEvent } from '../core/events.js';
import type { MooringEventName } from '../core/event-table.js';
import type { Mooring } from '../core/mooring.js';
import { otherValue, type Instrument, type Labels, type Measurement } from './instrument.js';
import { namedInstruments, type InstrumentName } from './instruments.js';

/** Receives a measurement: a value in the instrument's unit, and one of the known values for each of its labels. */
export type Receive = (name: InstrumentName, value: number, labels: Labels) => void;

/** Measures events for the counters and histograms. @returns ends it */
export function feed(mooring: Mooring, receive: Receive): () => void {
  const ends = namedInstruments.flatMap((row) => {
    const [, instrument] = row;
    const feeds =
      instrument.kind === 'gauge' ? [] : (Object.entries(instrument.fedBy) as [MooringEventName, Measure][]);
    return feeds.map(([name, measure]) =>
      mooring.events.on(name, (event) => {
        deliver(row, measure(event), receive);
      }),
    );
  });
  return () => {
    for (const end of ends) end();
  };
}

/** Reads all gauges. A gauge without a value is not received. */
export function readGauges(mooring: Mooring, receive: Receive): void {
  const reading = { mooring, kpis: mooring.kpis() };
  for (const row of namedInstruments) {
    const [, instrument] = row;
    if (instrument.kind === 'gauge') deliver(row, instrument.read(reading), receive);
  }
}

/** Called with events of its own name only. */
type Measure = (event: MooringEvent) => readonly Measurement[];

function deliver(
  [name, { labels: sets }]: readonly [InstrumentName, Instrument],
  measurements: readonly Measurement[],
  receive: Receive,
): void {
  for (const { value, labels } of measurements) receive(name, value, knownLabels(sets, labels));
}

/** Exactly the labels of the instrument, each with a value of its set or {@link otherValue}. */
function knownLabels(sets: Instrument['labels'], labels: Labels = {}): Labels {
  const known: Record<string, string> = {};
  for (const [label, values] of Object.entries(sets)) {
    const value = labels[label];
    known[label] = value !== undefined && values.includes(value) ? value : otherValue;
  }
  return known;
}
