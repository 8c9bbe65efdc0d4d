import type { MooringEvent } from '../core/events.js';
import type { MooringEventName } from '../core/event-table.js';
import type { Mooring } from '../core/mooring.js';
import { otherValue, type Instrument, type Labels, type Measurement } from './instrument.js';
import { namedInstruments, type InstrumentName } from './instruments.js';

/** Where measurements go: the instrument, a value in its unit, and one of the known values for each of its labels. */
export type Receive = (name: InstrumentName, value: number, labels: Labels) => void;

/** Sends what the event stream says to the counters and histograms. @returns ends it */
export function feed(mooring: Mooring, receive: Receive): () => void {
  const ends = namedInstruments.flatMap(([name, instrument]) =>
    feedsOf(instrument).map(([event, measure]) =>
      mooring.events.on(event, (said) => {
        deliver([name, instrument], measure(said), receive);
      }),
    ),
  );
  return () => {
    for (const end of ends) end();
  };
}

/** Reads all gauges; what has nothing to say is not received. */
export function readGauges(mooring: Mooring, receive: Receive): void {
  const reading = { mooring, kpis: mooring.kpis() };
  for (const row of namedInstruments) {
    const [, instrument] = row;
    if (instrument.kind === 'gauge') deliver(row, instrument.read(reading), receive);
  }
}

/** Of an event of one name, it is only ever given that. */
type Measure = (said: MooringEvent) => readonly Measurement[];

function feedsOf(instrument: Instrument): [MooringEventName, Measure][] {
  return instrument.kind === 'gauge' ? [] : (Object.entries(instrument.fedBy) as [MooringEventName, Measure][]);
}

function deliver(
  [name, { labels: sets }]: readonly [InstrumentName, Instrument],
  measurements: readonly Measurement[],
  receive: Receive,
): void {
  for (const { value, labels } of measurements) receive(name, value, closed(sets, labels));
}

/** Each label of the instrument and no other, with a value of its set or {@link otherValue}. */
function closed(sets: Instrument['labels'], labels: Labels = {}): Labels {
  const known: Record<string, string> = {};
  for (const [label, values] of Object.entries(sets)) {
    const value = labels[label];
    known[label] = value !== undefined && values.includes(value) ? value : otherValue;
  }
  return known;
}
