import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dashboardFile, dashboardOf, dashboardText } from '../../../scripts/grafana/dashboard.mjs';
import { settingNames } from '../../../src/core/settings.js';
import { outsideName } from '../../../src/config/written-settings.js';
import { instruments, type InstrumentName } from '../../../src/telemetry/instruments.js';
import { alertsText, dashboard, dashboardQueries, selectorsIn, type Panel } from '../../support/deployed-queries.js';

const root = join(import.meta.dirname, '../../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const runbook = read('docs/operating/runbook.md');
const alertTests = read('deploy/prometheus/alerts.test.yml');

/** A panel, and what becomes of its answers before they are shown. */
type Transformed = Panel & { readonly transformations?: readonly { readonly id: string }[] };

/** What Prometheus adds to every series, and to the buckets of histograms. */
const labelsOfPrometheus = ['job', 'instance', 'le'];

/** The instrument a series belongs to; those of a histogram have three names. */
function instrumentOf(series: string) {
  const name = series in instruments ? series : series.replace(/_(bucket|sum|count)$/, '');
  expect(Object.keys(instruments), series).toContain(name);
  const instrument = instruments[name as InstrumentName];
  if (name !== series) expect(instrument.kind, series).toBe('histogram');
  return instrument;
}

function expectKnown(text: string): void {
  for (const { name, matchers } of selectorsIn(text)) {
    const labels: Readonly<Record<string, readonly string[]>> = instrumentOf(name).labels;
    for (const [, label = '', operator = '', values = ''] of matchers.matchAll(/(\w+)(=~|!=|=)\s?"([^"]*)"/g)) {
      if (labelsOfPrometheus.includes(label)) continue;
      const wanted = operator === '=~' ? values.split('|') : [values];
      expect(labels[label], `${name} ${label}`).toEqual(expect.arrayContaining(wanted));
    }
  }
}

/** The anchors that GitHub makes of the headings of a page. */
const anchorsOf = (page: string): string[] =>
  [...page.matchAll(/^## (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
const anchors = new Set(anchorsOf(runbook));

const alerts = alertsText.split(/^ {6}- alert: /m).slice(1);

describe('the alerts', () => {
  it('are about metrics and labels there are', () => {
    expect(selectorsIn(alertsText).length).toBeGreaterThan(20);
    expectKnown(alertsText);
    expectKnown(alertTests);
  });

  it('have one for each success metric', () => {
    for (const kpi of instruments.mooring_kpi_pass.labels.kpi) {
      expect(alertsText).toContain(`mooring_kpi_pass{kpi="${kpi}"} == 0`);
    }
  });

  it.each(alerts.map((text) => [text.slice(0, text.indexOf('\n')), text]))('%s says what it is about', (name, text) => {
    expect(text).toMatch(/severity: (critical|warning)\n/);
    expect(text).toMatch(/summary: '.+'\n/);
    expect(text).toMatch(/description: '.+'\n/);
    const [, anchor] = /runbook_url: https:\/\/\S+\/docs\/operating\/runbook\.md#(\S+)/.exec(text)!;
    expect(anchors).toContain(anchor);
    expect(alertTests.split(`alertname: ${name}\n        exp_alerts:\n`).length, 'fires in its tests').toBeGreaterThan(
      1,
    );
    expect(alertTests.split(`alertname: ${name}\n        exp_alerts: []`).length, 'and does not').toBeGreaterThan(2);
  });
});

describe('the runbook', () => {
  it('has no page without an alert', () => {
    for (const anchor of anchors) expect(alertsText).toContain(`runbook.md#${anchor}\n`);
  });

  it('leads nowhere that is not there, and asks for metrics there are', () => {
    const links = [...runbook.matchAll(/\]\((?:(\.\.[^)#]*))?(?:#([^)]+))?\)/g)];
    for (const [, path, anchor] of links) {
      if (path === undefined) expect(anchors).toContain(anchor);
      else expect(() => read(join('docs/operating', path))).not.toThrow();
    }
    expectKnown(runbook);
  });

  it('says of each what it means, how to confirm it, what to do and when not to', () => {
    for (const page of runbook.split(/^## /m).slice(1)) {
      for (const part of ['What it means.', 'Confirm.', 'Do.', 'Ignore']) expect(page).toContain(`**${part}**`);
    }
  });
});

describe('the guide to operating', () => {
  const guide = read('docs/operating/operating.md');

  it('leads nowhere that is not there, and asks for metrics there are', () => {
    const links = [...guide.matchAll(/\]\(([^)#]+)(?:#([^)]+))?\)/g)];
    expect(links.length).toBeGreaterThan(10);
    for (const [, path = '', anchor] of links) {
      const linked = read(join('docs/operating', path));
      if (anchor !== undefined) expect([path, anchorsOf(linked)]).toEqual([path, expect.arrayContaining([anchor])]);
    }
    expectKnown(guide);
  });

  it('names settings there are', () => {
    const tune = guide.slice(guide.indexOf('| what hurts'), guide.indexOf('All settings are'));
    const rows = [...tune.matchAll(/^\| [^|]+ \| ([^|]+) \|/gm)].map(([, cell = '']) => cell).slice(2);
    const names = rows.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name));
    expect(names.length).toBeGreaterThan(8);
    expect(names.filter((name) => !settingNames.map(outsideName).includes(name))).toEqual([]);
  });
});

describe('the dashboard', () => {
  const panels = dashboard.panels.filter(({ type }) => type !== 'row');

  it('asks for metrics and labels there are, and for all of them', () => {
    const text = dashboardQueries().join('\n');
    expectKnown(text);
    expect(
      Object.keys(instruments).filter((name) => !text.includes(name)),
      `metrics that ${dashboardFile} lacks`,
    ).toEqual([]);
  });

  it('is made from the panels and the metrics', async () => {
    const path = join(root, dashboardFile);
    const text = await dashboardText(instruments, path);
    expect(readFileSync(path, 'utf8') === text, `${dashboardFile} is out of date: npm run docs writes it`).toBe(true);
  });

  it('has a panel for a metric of each kind that no panel names', () => {
    const row = { about: 'New.', unit: '{thing}', labels: { how: ['a', 'b'] } } as const;
    const gauge = { ...row, kind: 'gauge', labels: {}, unit: 'By', read: () => [] } as const;
    const counter = { ...row, kind: 'counter', fedBy: {} } as const;
    const histogram = { ...row, kind: 'histogram', unit: 's', fedBy: {}, buckets: [1] } as const;
    const made = dashboardOf({
      mooring_new_bytes: gauge,
      mooring_new_total: counter,
      mooring_new_seconds: histogram,
    });
    const own = (made.panels as readonly Panel[]).slice(dashboardOf({}).panels.length);
    expect(own.map(({ title }) => title)).toEqual(['More', 'New', 'New', 'New']);
    expect(own.slice(1).map(({ fieldConfig }) => fieldConfig?.defaults.unit)).toEqual(['bytes', 'cps', 's']);
    const where = 'job=~"$job", instance=~"$instance"';
    const quantile = (ratio: number) =>
      `histogram_quantile(${ratio}, sum by (le, how) (rate(mooring_new_seconds_bucket{${where}}[$__rate_interval])))`;
    expect(own.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))).toEqual([
      `sum(mooring_new_bytes{${where}})`,
      `sum by (how) (rate(mooring_new_total{${where}}[$__rate_interval]))`,
      ...[quantile(0.5), quantile(0.99)],
    ]);
  });

  it('gives each panel a number of its own', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('lets its reader choose where to look', () => {
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual(['datasource', 'job', 'instance']);
    for (const query of dashboardQueries()) expect(query).toMatch(/job=~"\.\+", instance=~"\.\+"/);
  });

  it.each(panels.map((panel) => [panel.title, panel] as const))('%s has unit, legend and explanation', (_, panel) => {
    expect(panel.description).toMatch(/\.$/);
    if (panel.type === 'table') return;
    expect(panel.fieldConfig?.defaults.unit).toBeTruthy();
    for (const { legendFormat } of panel.targets ?? []) expect(legendFormat).not.toBe('');
  });

  it('merges tables by labels alone: a bare series has its name, and no two rows have that in common', () => {
    const merging = panels.filter(({ transformations = [] }: Transformed) =>
      transformations.some(({ id }) => id === 'merge'),
    );
    expect(merging.map(({ title }) => title)).toContain('Verdicts');
    for (const { title, targets = [] } of merging) {
      const bare = targets.filter(({ expr }) => /^mooring_[a-z_]+(\{[^}]*\})?$/.test(expr));
      expect(bare.length, title).toBeLessThan(2);
    }
  });

  it('lays no panel over another', () => {
    const overlap = ({ gridPos: a }: Panel, { gridPos: b }: Panel) =>
      a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
    const over = dashboard.panels.flatMap((one, index) =>
      dashboard.panels.slice(index + 1).filter((other) => overlap(one, other)),
    );
    expect(over).toEqual([]);
    for (const { gridPos } of dashboard.panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });
});
