/** Makes the dashboard for Grafana from the table of panels and the table of metrics. */

import prettier from 'prettier';
import { datasource, frame, verdicts } from './frame.mjs';
import { rows } from './panels.mjs';
import { quantile, sum, written } from './queries.mjs';

/** @typedef {import('./panels.mjs').Panel} Panel */
/** @typedef {import('./panels.mjs').Row} Row */
/** @typedef {Readonly<Record<string, import('../../src/telemetry/instrument.js').Instrument>>} Instruments */

/** Where the dashboard is, from the root of the repository. */
export const dashboardFile = 'deploy/grafana/mooring.json';

const columns = 24;

/** The number of the row of metrics without a panel in the table. Their panels have the numbers after it, in turn. */
const firstOwnId = 1000;

/** The text of the file. @param {Instruments} instruments @param {string} path decides how it is formatted */
export async function dashboardText(instruments, path) {
  const options = await prettier.resolveConfig(path);
  return prettier.format(JSON.stringify(dashboardOf(instruments), null, 2), { ...options, filepath: path });
}

/** @param {Instruments} instruments */
export function dashboardOf(instruments) {
  const own = ownPanels(instruments);
  const all = own.length === 0 ? rows : [...rows, { id: firstOwnId, title: 'More', panels: own }];
  return { ...frame, panels: laidOut(all) };
}

/** A panel for each metric that no query of the table names. @param {Instruments} instruments @returns {Panel[]} */
function ownPanels(instruments) {
  const queries = rows.flatMap(({ panels }) => panels.flatMap((panel) => panel.queries.map(([, query]) => query)));
  const named = new Set(queries.flatMap((query) => query.match(/mooring_\w+/g) ?? []));
  const isNamed = (/** @type {string} */ name) =>
    [name, `${name}_bucket`, `${name}_count`].some((each) => named.has(each));
  return Object.entries(instruments)
    .filter(([name]) => !isNamed(name))
    .map(([name, instrument], index) => ({ id: firstOwnId + 1 + index, ...ownPanel(name, instrument) }));
}

/** @param {string} name @param {Instruments[string]} instrument @returns {Omit<Panel, 'id'>} */
function ownPanel(name, { kind, unit, about, labels }) {
  const words = name
    .replace(/^mooring_/, '')
    .replace(/(_seconds|_bytes)?(_total)?$/, '')
    .replaceAll('_', ' ');
  const title = words.charAt(0).toUpperCase() + words.slice(1);
  const split = Object.keys(labels);
  const legend = split.map((label) => `{{${label}}}`).join(', ');
  if (kind === 'gauge')
    return { title, about, unit: unitOf(unit), queries: [[legend || words, sum(`${name}{@}`, split)]] };
  if (kind === 'counter') {
    const perSecond = unit === 's' ? 'percentunit' : unit === 'By' ? 'Bps' : 'cps';
    return { title, about, unit: perSecond, queries: [[legend || words, sum(`rate(${name}{@}[~])`, split)]] };
  }
  const parts = /** @type {const} */ ([
    ['half', 0.5],
    ['99 %', 0.99],
  ]);
  const queries = parts.map(
    ([part, ratio]) =>
      /** @type {const} */ ([legend ? `${part}, ${legend}` : part, quantile(ratio, `${name}_bucket{@}`, split)]),
  );
  return { title, about, unit: unitOf(unit), queries };
}

/** Grafana's name of a unit. @param {string} unit */
function unitOf(unit) {
  return unit === 's' ? 's' : unit === 'By' ? 'bytes' : 'short';
}

/** The panels where they stand: side by side, as long as there is room. @param {readonly Row[]} all */
function laidOut(all) {
  const panels = [];
  let y = 0;
  for (const { id, title, height: h = 8, width = 8, panels: ofRow } of all) {
    panels.push({ id, type: 'row', title, collapsed: false, gridPos: { h: 1, w: columns, x: 0, y }, panels: [] });
    y += 1;
    let x = 0;
    for (const panel of ofRow) {
      const w = panel.width ?? width;
      if (x + w > columns) [x, y] = [0, y + h];
      panels.push(panelOf(panel, { h, w, x, y }));
      x += w;
    }
    y += h;
  }
  return panels;
}

/** @param {Panel} panel @param {{ h: number, w: number, x: number, y: number }} gridPos */
function panelOf(panel, gridPos) {
  const { id, type = 'timeseries', title, about: description } = panel;
  const targets = panel.queries.map(([legend, query], index) => targetOf({ type, legend, query, index }));
  return { id, type, title, description, datasource, gridPos, targets, ...lookOf(type, panel) };
}

/** @param {{ type: string, legend: string, query: string, index: number }} from */
function targetOf({ type, legend, query, index }) {
  return {
    refId: String.fromCharCode('A'.charCodeAt(0) + index),
    datasource,
    expr: written(query),
    legendFormat: legend,
    range: type === 'timeseries',
    instant: type !== 'timeseries',
    format: type === 'table' ? 'table' : 'time_series',
    editorMode: 'code',
  };
}

/** @param {string} type @param {Panel} panel */
function lookOf(type, { unit, thresholds = {}, decimals, isStacked = false, axis = '', canBeNegative = false }) {
  if (type === 'table') return verdicts;
  const steps = [
    { color: 'green', value: null },
    ...Object.entries(thresholds).map(([color, value]) => ({ color, value })),
  ];
  const last = { mappings: [], thresholds: { mode: 'absolute', steps } };
  if (type === 'stat') {
    const color = { mode: 'thresholds' };
    const defaults = { unit, color, ...last, ...(decimals !== undefined && { decimals }) };
    return { fieldConfig: { defaults, overrides: [] }, options: statOptions };
  }
  const color = { mode: 'palette-classic' };
  const custom = {
    drawStyle: 'line',
    lineWidth: 1,
    fillOpacity: isStacked ? 20 : 5,
    showPoints: 'never',
    axisLabel: axis,
    spanNulls: false,
    stacking: { mode: isStacked ? 'normal' : 'none', group: 'A' },
  };
  const defaults = { unit, color, custom, ...last, ...(!canBeNegative && { min: 0 }) };
  return { fieldConfig: { defaults, overrides: [] }, options: seriesOptions };
}

const statOptions = {
  reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
  colorMode: 'value',
  graphMode: 'none',
  justifyMode: 'auto',
  orientation: 'auto',
  textMode: 'auto',
};

const seriesOptions = {
  legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
  tooltip: { mode: 'multi', sort: 'desc' },
};
