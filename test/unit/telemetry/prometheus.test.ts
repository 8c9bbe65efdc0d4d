import { Counter, Registry, type OpenMetricsContentType } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { namedInstruments } from '../../../src/telemetry/instruments.js';
import { collectMetrics, type MetricsOptions } from '../../../src/telemetry/prometheus.js';
import { countListeners } from '../../support/listeners.js';
import { afterThisTest } from '../../support/setup.js';
import { Harness, harness, remote, silent, type HarnessOptions } from '../../core/support.js';

/** A Mooring whose metrics are collected until the test is over. */
function collected(options: HarnessOptions = {}, how: MetricsOptions = {}) {
  const h = harness(options);
  const metrics = collectMetrics(h.mooring, how);
  afterThisTest(() => {
    metrics.end();
  });
  return { h, metrics, scrape: async () => samplesIn(await metrics.metrics()) };
}

/** The samples of a scrape, by name with labels. */
function samplesIn(text: string): Record<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

describe('a scrape', () => {
  it('has every instrument with its kind and what it is about', async () => {
    const { metrics } = collected();
    const text = await metrics.metrics();
    for (const [name, { kind, about }] of namedInstruments) {
      expect(text).toContain(`# HELP ${name} ${about}\n# TYPE ${name} ${kind}\n`);
    }
    expect(metrics.contentType).toMatch(/^text\/plain; version=0\.0\.4/);
  });

  it('begins at 0, so that the first of a kind is an increase', async () => {
    const { scrape } = collected();
    expect(await scrape()).toMatchObject({
      mooring_admissions_total: 0,
      'mooring_refusals_total{cause="quota"}': 0,
      'mooring_releases_total{reason="disconnected",by="heartbeat"}': 0,
      'mooring_cleanup_seconds_count{trigger="admission"}': 0,
      'mooring_users_at_level{level="emergency"}': 0,
    });
  });

  it('tells of a newcomer that got the place of a suspect', async () => {
    const { h, scrape } = collected({ config: { maxManagersPerUser: 2 } });
    await h.fill('ada', 2, silent);
    await h.time.advance(5_000);
    h.arrive('ada', 'thread_new', remote);
    expect(await scrape()).toMatchObject({ mooring_waiting: 1, mooring_managers: 2 });
    await h.time.advance(1_100);
    expect(await scrape()).toMatchObject({
      mooring_waiting: 0,
      mooring_managers: 2,
      mooring_admissions_total: 3,
      'mooring_admission_wait_seconds_sum{outcome="admitted"}': 1,
      'mooring_releases_total{reason="disconnected",by="admission"}': 1,
      'mooring_cleaned_total{strategy="disconnected",trigger="admission"}': 1,
      'mooring_cleanup_seconds_count{trigger="admission"}': 1,
      'mooring_cleanup_seconds_bucket{le="0.5",trigger="admission"}': 0,
      'mooring_cleanup_seconds_bucket{le="1",trigger="admission"}': 1,
      'mooring_kpi_value{kpi="emergencyCleanupTime",unit="seconds"}': 1,
      'mooring_kpi_pass{kpi="falseKills",target="0"}': 1,
    });
  });

  it('leaves out what there is no number of', async () => {
    const { h, scrape } = collected({ config: { maxManagersPerUser: 1 } });
    expect(Object.keys(await scrape()).filter((name) => /managers_limit|kpi_(value|pass)/.test(name))).toEqual([]);
    await h.connect('ada', 'thread_1', remote);
    expect(await scrape()).toHaveProperty(['mooring_kpi_value{kpi="connectionSuccess",unit="ratio"}'], 1);
    h.time.advanceSync(2 * 86_400_000);
    expect(await scrape()).not.toHaveProperty(['mooring_kpi_value{kpi="connectionSuccess",unit="ratio"}']);
  });

  it('reads the success metrics once, and anew each time', async () => {
    const { h, metrics } = collected();
    const { mooring } = h;
    let reports = 0;
    const kpis = mooring.kpis.bind(mooring);
    mooring.kpis = () => {
      reports += 1;
      return kpis();
    };
    await metrics.metrics();
    await metrics.metrics();
    expect(reports).toBe(2);
  });

  it('names nobody', async () => {
    const { h, metrics } = collected({ config: { maxManagersPerUser: 1 } });
    await h.connect('ada-lovelace', 'thread_secret', remote);
    h.arrive('ada-lovelace', 'thread_other', remote);
    await h.time.advance(20_000);
    expect(await metrics.metrics()).not.toMatch(/ada|lovelace|secret/);
  });

  it('has the same series with 500 users as with 5, and is as long but for the digits', async () => {
    const grown = async (users: number, managersEach: number) => {
      const { mooring, time } = new Harness({ seed: users });
      const metrics = collectMetrics(mooring);
      for (let user = 0; user < users; user++) {
        for (let i = 0; i < managersEach; i++) mooring.decide({ userId: `u${user}`, threadId: `thread_${i}` });
      }
      const text = await metrics.metrics();
      await Promise.all([mooring.stop(), time.advance(60_000)]);
      return { count: samplesIn(text)['mooring_managers'], text, series: Object.keys(samplesIn(text)) };
    };
    const small = await grown(5, 4);
    const large = await grown(500, 4);
    expect([small.count, large.count]).toEqual([20, 2_000]);
    expect(large.series).toEqual(small.series);
    expect(Math.abs(large.text.length - small.text.length)).toBeLessThan(100);
    expect(large.text.length).toBeLessThan(40_000);
  });
});

describe('an end', () => {
  it('leaves no listener, and nothing in the registry', async () => {
    const h = harness();
    const registry = new Registry();
    const own = new Counter({ name: 'orders_total', help: 'Orders.', registers: [registry] });
    own.inc();
    const listeners = countListeners(h.mooring);
    const metrics = collectMetrics(h.mooring, { registry, defaultMetrics: true });
    expect(listeners()).toBeGreaterThan(20);
    metrics.end();
    metrics.end();
    expect(listeners()).toBe(0);
    expect(samplesIn(await registry.metrics())).toEqual({ orders_total: 1 });
  });
});

describe('a registry', () => {
  it('of its own has one Mooring, and two do not meet', async () => {
    const one = collected();
    const other = collected();
    await one.h.connect('ada', 'thread_1', remote);
    expect(await one.scrape()).toMatchObject({ mooring_admissions_total: 1, mooring_managers: 1 });
    expect(await other.scrape()).toMatchObject({ mooring_admissions_total: 0, mooring_managers: 0 });
  });

  it('that is given keeps what it has, and takes one Mooring', async () => {
    const registry = new Registry();
    new Counter({ name: 'orders_total', help: 'Orders.', registers: [registry] });
    const { scrape, metrics } = collected({}, { registry });
    expect(await scrape()).toMatchObject({ orders_total: 0, mooring_managers: 0 });
    expect(() => collectMetrics(harness().mooring, { registry })).toThrow(/mooring_managers already/);
    metrics.end();
    expect(() => {
      collectMetrics(harness().mooring, { registry }).end();
    }).not.toThrow();
  });

  it('may be of the OpenMetrics format', async () => {
    const registry = new Registry<OpenMetricsContentType>();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    const { h, metrics } = collected({}, { registry });
    await h.connect('ada', 'thread_1', remote);
    const text = await metrics.metrics();
    expect(metrics.contentType).toMatch(/^application\/openmetrics-text/);
    expect(text).toMatch(/^# TYPE mooring_admissions counter\nmooring_admissions_total 1$/m);
    expect(text.endsWith('# EOF\n')).toBe(true);
  });

  it("has Node's own metrics where asked for", async () => {
    const { scrape } = collected({}, { defaultMetrics: true });
    expect(await scrape()).toHaveProperty('process_resident_memory_bytes');
    expect(await collected().scrape()).not.toHaveProperty('process_resident_memory_bytes');
  });
});
