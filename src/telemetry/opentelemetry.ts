import type { Attributes, BatchObservableCallback, Meter, ObservableGauge } from '@opentelemetry/api';
import type { Mooring } from '../core/mooring.js';
import { feed, readGauges } from './feed.js';
import { namedInstruments, openTelemetryName, type InstrumentName } from './instruments.js';

/** Options of {@link recordMetrics}. */
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
  const { recorders, gauges } = instrumentsOf(meter);
  const endFeed = feed(mooring, (name, value, labels) => {
    recorders.get(name)?.(value, { ...attributes, ...labels });
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

/** The table's instruments on a meter: what records a value of counters and histograms, and the gauges. */
function instrumentsOf(meter: Meter) {
  const recorders = new Map<InstrumentName, (value: number, attributes: Attributes) => void>();
  const gauges = new Map<InstrumentName, ObservableGauge>();
  for (const [name, instrument] of namedInstruments) {
    const dotted = openTelemetryName(name, instrument);
    const options = { description: instrument.about, unit: instrument.unit };
    if (instrument.kind === 'gauge') {
      gauges.set(name, meter.createObservableGauge(dotted, options));
    } else if (instrument.kind === 'counter') {
      const counter = meter.createCounter(dotted, options);
      recorders.set(name, (value, labels) => counter.add(value, labels));
    } else {
      const advice = { explicitBucketBoundaries: [...instrument.buckets] };
      const histogram = meter.createHistogram(dotted, { ...options, advice });
      recorders.set(name, (value, labels) => histogram.record(value, labels));
    }
  }
  return { recorders, gauges };
}
