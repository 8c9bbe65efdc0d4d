import type { Attributes } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { describe, expect, it } from 'vitest';
import { namedInstruments, openTelemetryName } from '../../../src/telemetry/instruments.js';
import { recordMetrics } from '../../../src/telemetry/opentelemetry.js';
import { countListeners } from '../../support/listeners.js';
import { afterThisTest } from '../../support/setup.js';
import { harness, remote, silent, type HarnessOptions } from '../../core/support.js';

/** A provider whose metrics go to memory. */
function provider() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const made = new MeterProvider({ readers: [reader] });
  afterThisTest(() => made.shutdown());
  const metrics = async () => {
    exporter.reset();
    await reader.forceFlush();
    return exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
  };
  /** Values by name and attributes; of a histogram, how many there were and their sum. */
  const values = async () => {
    const points = (await metrics()).flatMap(({ descriptor, dataPoints }) =>
      dataPoints.map(({ attributes, value }) => [written(descriptor.name, attributes), plain(value)] as const),
    );
    return Object.fromEntries(points);
  };
  return { meter: made.getMeter('mooring'), metrics, values };
}

function written(name: string, attributes: Attributes): string {
  return [name, ...Object.values(attributes).map(String)].join(' ');
}

function plain(value: unknown): unknown {
  if (typeof value === 'number') return value;
  const { count, sum } = value as { count: number; sum: number };
  return { count, sum };
}

function recorded(options: HarnessOptions = {}) {
  const h = harness(options);
  const { meter, ...rest } = provider();
  return { h, meter, end: recordMetrics(h.mooring, meter), ...rest };
}

describe('a meter', () => {
  it('gets the same instruments as Prometheus, with units', async () => {
    const { h, metrics } = recorded({ config: { maxManagersPerUser: 2 } });
    await h.fill('ada', 2, silent);
    await h.time.advance(5_000);
    h.arrive('ada', 'thread_new', remote);
    await h.time.advance(1_100);
    const table = new Map(namedInstruments.map(([name, each]) => [openTelemetryName(name, each), each]));
    const found = await metrics();
    expect(found.length).toBeGreaterThan(15);
    for (const { descriptor } of found) {
      const { about: description, unit } = table.get(descriptor.name)!;
      expect(descriptor).toMatchObject({ description, unit });
    }
  });

  it('tells of a newcomer that got the place of a suspect', async () => {
    const { h, values } = recorded({ config: { maxManagersPerUser: 2 } });
    await h.fill('ada', 2, silent);
    await h.time.advance(5_000);
    h.arrive('ada', 'thread_new', remote);
    expect(await values()).toMatchObject({ 'mooring.waiting': 1, 'mooring.managers': 2 });
    await h.time.advance(1_100);
    expect(await values()).toMatchObject({
      'mooring.waiting': 0,
      'mooring.managers': 2,
      'mooring.users_at_level warning': 0,
      'mooring.admissions': 3,
      'mooring.admission_wait admitted': { count: 1, sum: 1 },
      'mooring.releases disconnected admission': 1,
      'mooring.cleanup admission': { count: 1, sum: 1 },
      'mooring.cleaned disconnected admission': 1,
      'mooring.kpi_value emergencyCleanupTime seconds': 1,
      'mooring.kpi_pass falseKills 0': 1,
    });
  });

  it('gets the bounds of the buckets', async () => {
    const { h, metrics } = recorded();
    (await h.connect('ada', 'thread_1', remote)).transport.vanish();
    const [age] = (await metrics()).filter(({ descriptor }) => descriptor.name === 'mooring.manager_age');
    expect(age?.dataPoints[0]?.value).toMatchObject({
      buckets: { boundaries: [1, 10, 60, 300, 600, 1_800, 3_600, 14_400, 86_400] },
    });
  });

  it('hears nothing any longer once ended', async () => {
    const h = harness();
    const { meter, values } = provider();
    const listeners = countListeners(h.mooring);
    const end = recordMetrics(h.mooring, meter);
    await h.connect('ada', 'thread_1', remote);
    expect(await values()).toMatchObject({ 'mooring.admissions': 1, 'mooring.managers': 1 });
    expect(listeners()).toBeGreaterThan(20);
    end();
    end();
    expect(listeners()).toBe(0);
    await h.connect('ada', 'thread_2', remote);
    expect(await values(), 'what was said stays with the provider').toMatchObject({
      'mooring.admissions': 1,
      'mooring.managers': 1,
    });
  });

  it('may be shared by two who are told apart', async () => {
    const { meter, values } = provider();
    const one = harness();
    const other = harness();
    recordMetrics(one.mooring, meter, { attributes: { server: 'one' } });
    recordMetrics(other.mooring, meter, { attributes: { server: 'other' } });
    await one.fill('ada', 2, remote);
    await other.connect('ada', 'thread_1', remote);
    expect(await values()).toMatchObject({
      'mooring.managers one': 2,
      'mooring.managers other': 1,
      'mooring.admissions one': 2,
      'mooring.admissions other': 1,
      'mooring.users_at_level one normal': 1,
    });
  });
});
