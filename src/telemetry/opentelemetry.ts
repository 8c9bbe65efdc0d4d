import type {
  Attributes,
  BatchObservableCallback,
  Counter,
  Histogram,
  Meter,
  ObservableGauge,
} from '@opentelemetry/api';
import type { Mooring } from '../core/mooring.js';
import { feed, readGauges } from './feed.js';
import type { Instrument } from './instrument.js';
import { namedInstruments, openTelemetryName, type InstrumentName } from './instruments.js';

/** What can be said to {@link recordMetrics}. */
export interface RecordOptions {
  /** Put on every measurement, e.g. to tell two Moorings on one meter apart. @default none */
  readonly attributes?: Attributes;
}

/**
 * Records the metrics of a Mooring with OpenTelemetry.
 *
 * @example
 * import { metrics } from '@opentelemetry/api';
 * const end = recordMetrics(mooring, metrics.getMeter('mooring'));
 * @returns ends it; what was counted so far stays with the meter's provider
 */
export function recordMetrics(mooring: Mooring, meter: Meter, { attributes = {} }: RecordOptions = {}): () => void {
  const { counters, histograms, gauges } = instrumentsOf(meter);
  const endFeed = feed(mooring, (name, value, labels) => {
    const all = { ...attributes, ...labels };
    counters.get(name)?.add(value, all);
    histograms.get(name)?.record(value, all);
  });
  const observables = [...gauges.values()];
  const observe: BatchObservableCallback = (result) => {
    readGauges(mooring, (name, value, labels) => {
      const gauge = gauges.get(name);
      if (gauge !== undefined) result.observe(gauge, value, { ...attributes, ...labels });
    });
  };
  meter.addBatchObservableCallback(observe, observables);
  return () => {
    endFeed();
    meter.removeBatchObservableCallback(observe, observables);
  };
}

interface Made {
  readonly counters: Map<InstrumentName, Counter>;
  readonly histograms: Map<InstrumentName, Histogram>;
  readonly gauges: Map<InstrumentName, ObservableGauge>;
}

function instrumentsOf(meter: Meter): Made {
  const made: Made = { counters: new Map(), histograms: new Map(), gauges: new Map() };
  for (const [name, instrument] of namedInstruments) make([name, instrument], meter, made);
  return made;
}

function make([name, instrument]: [InstrumentName, Instrument], meter: Meter, made: Made): void {
  const dotted = openTelemetryName(name, instrument);
  const options = { description: instrument.about, unit: instrument.unit };
  if (instrument.kind === 'counter') made.counters.set(name, meter.createCounter(dotted, options));
  else if (instrument.kind === 'gauge') made.gauges.set(name, meter.createObservableGauge(dotted, options));
  else {
    const advice = { explicitBucketBoundaries: [...instrument.buckets] };
    made.histograms.set(name, meter.createHistogram(dotted, { ...options, advice }));
  }
}
