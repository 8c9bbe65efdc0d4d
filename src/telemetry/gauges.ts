import { kpiTargets, type Kpi } from '../core/kpis/kpi.js';
import { alertLevels } from '../core/vocabulary.js';
import { namesOf, type GaugeInstrument, type Measurement, type Reading } from './instrument.js';

const kpis = namesOf(kpiTargets);
const targets = [...new Set(Object.values(kpiTargets).map(({ target }) => target))];
const units = ['seconds', 'ratio', 'managers', 'refusals', 'connections'];

const ofKpis = ({ kpis: report }: Reading, measure: (kpi: Kpi) => Measurement | null): Measurement[] =>
  report.kpis.map(measure).filter((measured) => measured !== null);

/**
 * What is read at each collection, by its name in Prometheus. None of it takes longer the more managers there are;
 * suspects and connections with unsent data are few.
 */
export const gauges = Object.freeze({
  mooring_managers: {
    kind: 'gauge',
    about: 'Managers of all users, reserved slots included.',
    unit: '{manager}',
    labels: {},
    read: ({ mooring }) => [{ value: mooring.managerCount }],
  },
  mooring_managers_limit: {
    kind: 'gauge',
    about: 'How many managers this server takes: `maxTotalManagers`. Absent without such a limit.',
    unit: '{manager}',
    labels: {},
    read: ({ mooring: { config } }) => (config.maxTotalManagers === null ? [] : [{ value: config.maxTotalManagers }]),
  },
  mooring_users: {
    kind: 'gauge',
    about: 'Users that hold a manager.',
    unit: '{user}',
    labels: {},
    read: ({ mooring }) => [{ value: mooring.userCount }],
  },
  mooring_users_at_level: {
    kind: 'gauge',
    about: 'Users by alert level, as of the last check of each.',
    unit: '{user}',
    labels: { level: alertLevels },
    read: ({ mooring }) => {
      const counts = mooring.monitor.usersByLevel();
      return alertLevels.map((level) => ({ value: counts[level], labels: { level } }));
    },
  },
  mooring_waiting: {
    kind: 'gauge',
    about: 'Newcomers that wait for a slot.',
    unit: '{newcomer}',
    labels: {},
    read: ({ mooring }) => [{ value: mooring.waitingCount }],
  },
  mooring_suspects: {
    kind: 'gauge',
    about:
      'Connections that are suspects: silent to a probe, and not a byte since. Each gives its place to a newcomer of its user, else the heartbeat ends it.',
    unit: '{connection}',
    labels: {},
    read: ({ mooring }) => [{ value: mooring.suspectCount }],
  },
  mooring_unsent_bytes: {
    kind: 'gauge',
    about: 'Bytes that waited to be sent when the heartbeat last visited each connection, of all connections.',
    unit: 'By',
    labels: {},
    read: ({ mooring }) => [{ value: mooring.unsentBytes.sum }],
  },
  mooring_largest_unsent_bytes: {
    kind: 'gauge',
    about: 'The same of the connection with most: what `maxUnsentBytes` limits.',
    unit: 'By',
    labels: {},
    read: ({ mooring }) => [{ value: mooring.unsentBytes.largest }],
  },
  mooring_closing: {
    kind: 'gauge',
    about: 'Sockets in a closing handshake, whoever began it; each is closed or destroyed within `closeGrace`.',
    unit: '{socket}',
    labels: {},
    read: ({ mooring }) => [{ value: mooring.closingCount }],
  },
  mooring_draining: {
    kind: 'gauge',
    about: 'Whether the server is stopping: 1 from then on, 0 before.',
    unit: '',
    labels: {},
    read: ({ mooring }) => [{ value: Number(mooring.isDraining) }],
  },
  mooring_journal_bytes: {
    kind: 'gauge',
    about: 'What the journal of decisions takes, estimated from above; 0 where none is kept.',
    unit: 'By',
    labels: {},
    read: ({ mooring }) => [{ value: mooring.journal.bytes }],
  },
  mooring_kpi_value: {
    kind: 'gauge',
    about: 'Success metrics over their window, each in the unit its label names. Absent without data.',
    unit: '',
    labels: { kpi: kpis, unit: units },
    read: (reading) =>
      ofKpis(reading, ({ name, value, unit }) => {
        if (value === null) return null;
        const isDuration = unit === 'ms';
        const labels = { kpi: name, unit: isDuration ? 'seconds' : unit };
        return { value: isDuration ? value / 1_000 : value, labels };
      }),
  },
  mooring_kpi_pass: {
    kind: 'gauge',
    about: 'Verdicts on the success metrics: 1 where the target is met, 0 where it is not. Absent without data.',
    unit: '',
    labels: { kpi: kpis, target: targets },
    read: (reading) =>
      ofKpis(reading, ({ name, verdict, target }) =>
        verdict === 'no data' ? null : { value: Number(verdict === 'pass'), labels: { kpi: name, target } },
      ),
  },
  mooring_kpi_samples: {
    kind: 'gauge',
    about: 'How many of what a success metric is about there were: runs, users, refusals…',
    unit: '{sample}',
    labels: { kpi: kpis },
    read: (reading) => ofKpis(reading, ({ name, samples }) => ({ value: samples, labels: { kpi: name } })),
  },
  mooring_kpi_window_seconds: {
    kind: 'gauge',
    about: 'How long a time the success metrics are about: since the start, and at most `kpiWindow`, a day unless set.',
    unit: 's',
    labels: {},
    read: ({ kpis: { window } }) => [{ value: window.durationMs / 1_000 }],
  },
} as const satisfies Record<string, GaugeInstrument>);
