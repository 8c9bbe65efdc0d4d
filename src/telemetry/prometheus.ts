import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry, type OpenMetricsContentType } from 'prom-client';
import type { Mooring } from '../core/mooring.js';
import { feed, readGauges } from './feed.js';
import type { Instrument, Labels } from './instrument.js';
import { namedInstruments, type InstrumentName } from './instruments.js';

/** A registry of prom-client, of either text format. */
export type MetricsRegistry = Registry | Registry<OpenMetricsContentType>;

/** Options of {@link collectMetrics}. */
export interface MetricsOptions {
  /** The registry for the metrics; it may have others, but only those of one Mooring. @default a new one */
  readonly registry?: MetricsRegistry;
  /**
   * Whether prom-client's own metrics of Node and the process are added. Its observers stay until the process ends.
   * @default false
   */
  readonly defaultMetrics?: boolean;
}

/** The metrics of a Mooring, ready to be scraped. */
export interface CollectedMetrics {
  readonly registry: MetricsRegistry;
  /** The `Content-Type` of the answer. */
  readonly contentType: string;
  /** Everything in the registry, in the text format of Prometheus. */
  metrics(): Promise<string>;
  /** Stops listening, and removes the metrics from the registry. */
  end(): void;
}

/**
 * Collects the metrics of a Mooring for Prometheus.
 *
 * @example
 * const collected = collectMetrics(mooring);
 * app.get('/metrics', async (request, response) => response.type(collected.contentType).send(await collected.metrics()));
 * @throws TypeError if the registry has a metric of one of these names already
 */
export function collectMetrics(mooring: Mooring, options: MetricsOptions = {}): CollectedMetrics {
  const { registry = new Registry(), defaultMetrics = false } = options;
  checkFree(registry);
  const before = new Set(namesIn(registry));
  const endFeed = register(mooring, registry);
  if (defaultMetrics) collectDefaultMetrics({ register: registry as Registry });
  const added = namesIn(registry).filter((name) => !before.has(name));
  return {
    registry,
    get contentType() {
      return registry.contentType;
    },
    metrics: () => registry.metrics(),
    end: () => {
      endFeed();
      for (const name of added.splice(0)) registry.removeSingleMetric(name);
    },
  };
}

/** Checked before any is registered: half of the metrics would be worse than none. */
function checkFree(registry: MetricsRegistry): void {
  const taken = namedInstruments.find(([name]) => registry.getSingleMetric(name) !== undefined);
  if (taken !== undefined) {
    throw new TypeError(`the registry has ${taken[0]} already; each Mooring wants a registry of its own`);
  }
}

function namesIn(registry: MetricsRegistry): string[] {
  return registry.getMetricsAsArray().map(({ name }) => name);
}

/** Registers the table's instruments as metrics of prom-client. @returns stops feeding them */
function register(mooring: Mooring, registry: MetricsRegistry): () => void {
  const recorders = new Map<InstrumentName, (value: number, labels: Labels) => void>();
  const gauges = new Map<InstrumentName, Gauge>();
  const collect = oncePerTurn(() => {
    readInto(gauges, mooring);
  });
  for (const [name, instrument] of namedInstruments) {
    const { about: help, labels } = instrument;
    const config = { name, help, labelNames: Object.keys(labels), registers: [registry] };
    // All series start at 0: if one appeared with a 1, Prometheus would see no increase.
    if (instrument.kind === 'gauge') {
      gauges.set(name, new Gauge({ ...config, collect }));
    } else if (instrument.kind === 'counter') {
      const counter = new Counter(config);
      for (const each of combinations(labels)) counter.inc(each, 0);
      recorders.set(name, (value, of) => counter.inc(of, value));
    } else {
      const histogram = new Histogram({ ...config, buckets: [...instrument.buckets] });
      for (const each of combinations(labels)) histogram.zero(each);
      recorders.set(name, (value, of) => histogram.observe(of, value));
    }
  }
  return feed(mooring, (name, value, labels) => recorders.get(name)?.(value, labels));
}

/** A registry collects all gauges in the same turn: only the first of these calls acts. */
function oncePerTurn(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    queueMicrotask(() => (isDone = false));
    act();
  };
}

function readInto(gauges: ReadonlyMap<InstrumentName, Gauge>, mooring: Mooring): void {
  for (const gauge of gauges.values()) {
    gauge.reset();
    gauge.remove({}); // a gauge without labels would have the value 0 instead of none
  }
  readGauges(mooring, (name, value, labels) => gauges.get(name)?.set(labels, value));
}

/** All combinations of the values of each label. */
function combinations(sets: Instrument['labels']): Labels[] {
  return Object.entries(sets).reduce<Labels[]>(
    (made, [label, values]) => made.flatMap((labels) => values.map((value) => ({ ...labels, [label]: value }))),
    [{}],
  );
}
