import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry, type OpenMetricsContentType } from 'prom-client';
import type { Mooring } from '../core/mooring.js';
import { feed, readGauges } from './feed.js';
import type { Instrument, Labels } from './instrument.js';
import { namedInstruments, type InstrumentName } from './instruments.js';

/** A registry of prom-client, of either text format. */
export type MetricsRegistry = Registry | Registry<OpenMetricsContentType>;

/** Options of {@link collectMetrics}. */
export interface MetricsParts {
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
export function collectMetrics(mooring: Mooring, options: MetricsParts = {}): CollectedMetrics {
  const { registry = new Registry(), defaultMetrics = false } = options;
  checkFree(registry);
  const before = new Set(namesIn(registry));
  const metrics = new Metrics(mooring, registry);
  if (defaultMetrics) collectDefaultMetrics({ register: registry as Registry });
  const added = namesIn(registry).filter((name) => !before.has(name));
  return {
    registry,
    get contentType() {
      return registry.contentType;
    },
    metrics: () => registry.metrics(),
    end: () => {
      metrics.end();
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

/** The table's instruments as metrics of prom-client. */
class Metrics {
  readonly #mooring: Mooring;
  readonly #recorders = new Map<InstrumentName, (value: number, labels: Labels) => void>();
  readonly #gauges = new Map<InstrumentName, Gauge>();
  readonly end: () => void;
  #isRead = false;

  constructor(mooring: Mooring, registry: MetricsRegistry) {
    this.#mooring = mooring;
    for (const [name, instrument] of namedInstruments) this.#make(name, instrument, registry);
    this.end = feed(mooring, (name, value, labels) => this.#recorders.get(name)?.(value, labels));
  }

  /** All series start at 0: if one appeared with a 1, Prometheus would see no increase. */
  #make(name: InstrumentName, instrument: Instrument, registry: MetricsRegistry): void {
    const { about: help, labels } = instrument;
    const config = { name, help, labelNames: Object.keys(labels), registers: [registry] };
    if (instrument.kind === 'gauge') {
      const collect = (): void => {
        this.#read();
      };
      this.#gauges.set(name, new Gauge({ ...config, collect }));
    } else if (instrument.kind === 'counter') {
      const counter = new Counter(config);
      for (const each of combinations(labels)) counter.inc(each, 0);
      this.#recorders.set(name, (value, of) => counter.inc(of, value));
    } else {
      const histogram = new Histogram({ ...config, buckets: [...instrument.buckets] });
      for (const each of combinations(labels)) histogram.zero(each);
      this.#recorders.set(name, (value, of) => histogram.observe(of, value));
    }
  }

  /** Reads all gauges for the first that is collected: a registry collects all of them in the same turn. */
  #read(): void {
    if (this.#isRead) return;
    this.#isRead = true;
    queueMicrotask(() => (this.#isRead = false));
    for (const gauge of this.#gauges.values()) {
      gauge.reset();
      gauge.remove({}); // a gauge without labels would have the value 0 instead of none
    }
    readGauges(this.#mooring, (name, value, labels) => this.#gauges.get(name)?.set(labels, value));
  }
}

/** All combinations of the values of each label. */
function combinations(sets: Instrument['labels']): Labels[] {
  return Object.entries(sets).reduce<Labels[]>(
    (made, [label, values]) => made.flatMap((labels) => values.map((value) => ({ ...labels, [label]: value }))),
    [{}],
  );
}
