import { written } from './queries.mjs';

/** Where all queries go: to what the reader chose. */
export const datasource = Object.freeze({ type: 'prometheus', uid: '${datasource}' });

/** What the dashboard for Grafana has beside its panels: what its reader can choose, and marks in all panels. */
export const frame = {
  uid: 'mooring',
  title: 'Mooring',
  description: 'Who gets a connection, who does not, and whether the promise is kept.',
  tags: ['mooring', 'websocket'],
  schemaVersion: 39,
  version: 1,
  editable: true,
  graphTooltip: 1,
  timezone: 'browser',
  refresh: '30s',
  time: { from: 'now-6h', to: 'now' },
  timepicker: {},
  fiscalYearStartMonth: 0,
  weekStart: '',
  links: [],
  annotations: {
    list: [
      {
        name: 'Draining',
        datasource,
        enable: true,
        hide: false,
        iconColor: 'orange',
        expr: written('mooring_draining{@} == 1'),
        titleFormat: '{{instance}} drains',
        step: '60s',
      },
    ],
  },
  templating: {
    list: [
      {
        name: 'datasource',
        label: 'Data source',
        type: 'datasource',
        query: 'prometheus',
        current: {},
        hide: 0,
        includeAll: false,
        multi: false,
        options: [],
        refresh: 1,
        regex: '',
      },
      choiceOf('job', 'Job', 'label_values(mooring_managers, job)'),
      choiceOf('instance', 'Server', 'label_values(mooring_managers{job=~"$job"}, instance)'),
    ],
  },
};

/**
 * A list from which the reader chooses values of a label: all of them at first.
 * @param {string} name @param {string} label @param {string} query
 */
function choiceOf(name, label, query) {
  return {
    name,
    label,
    type: 'query',
    datasource,
    definition: query,
    query: { query, refId: name },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.+',
    current: { text: ['All'], value: ['$__all'] },
    hide: 0,
    options: [],
    regex: '',
  };
}

/** The look of the table of verdicts: its three queries are the columns of one table. */
export const verdicts = {
  transformations: [
    { id: 'merge', options: {} },
    {
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        indexByName: { kpi: 0, instance: 1, 'Value #A': 2, unit: 3, target: 4, 'Value #B': 5, 'Value #C': 6 },
        renameByName: {
          kpi: 'Success metric',
          instance: 'Server',
          'Value #A': 'Value',
          unit: 'Unit',
          target: 'Target',
          'Value #B': 'Verdict',
          'Value #C': 'Samples',
        },
      },
    },
  ],
  fieldConfig: {
    defaults: {
      custom: { align: 'auto' },
      mappings: [],
      thresholds: { mode: 'absolute', steps: [{ color: 'green', value: null }] },
    },
    overrides: [
      {
        matcher: { id: 'byName', options: 'Verdict' },
        properties: [
          {
            id: 'mappings',
            value: [
              {
                type: 'value',
                options: { 0: { text: 'fail', color: 'red', index: 0 }, 1: { text: 'pass', color: 'green', index: 1 } },
              },
            ],
          },
          { id: 'custom.cellOptions', value: { type: 'color-text' } },
        ],
      },
      { matcher: { id: 'byName', options: 'Value' }, properties: [{ id: 'decimals', value: 3 }] },
    ],
  },
  options: { showHeader: true, cellHeight: 'sm', footer: { show: false } },
};
