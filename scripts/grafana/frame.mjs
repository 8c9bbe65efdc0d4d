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
        datasource: { type: 'prometheus', uid: '${datasource}' },
        enable: true,
        hide: false,
        iconColor: 'orange',
        expr: 'mooring_draining{job=~"$job", instance=~"$instance"} == 1',
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
      {
        name: 'job',
        label: 'Job',
        type: 'query',
        datasource: { type: 'prometheus', uid: '${datasource}' },
        definition: 'label_values(mooring_managers, job)',
        query: { query: 'label_values(mooring_managers, job)', refId: 'job' },
        refresh: 2,
        sort: 1,
        multi: true,
        includeAll: true,
        allValue: '.+',
        current: { text: ['All'], value: ['$__all'] },
        hide: 0,
        options: [],
        regex: '',
      },
      {
        name: 'instance',
        label: 'Server',
        type: 'query',
        datasource: { type: 'prometheus', uid: '${datasource}' },
        definition: 'label_values(mooring_managers{job=~"$job"}, instance)',
        query: { query: 'label_values(mooring_managers{job=~"$job"}, instance)', refId: 'instance' },
        refresh: 2,
        sort: 1,
        multi: true,
        includeAll: true,
        allValue: '.+',
        current: { text: ['All'], value: ['$__all'] },
        hide: 0,
        options: [],
        regex: '',
      },
    ],
  },
};

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
