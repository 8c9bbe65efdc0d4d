import { kpiTargets, type Kpi } from '../core/kpis/kpi.js';
import type { Mooring } from '../core/mooring.js';
import { alertLevels, ledgerStates } from '../core/vocabulary.js';
import { namesOf, type GaugeInstrument, type Measurement, type Reading } from './instrument.js';

const kpis = namesOf(kpiTargets);
const targets = [...new Set(Object.values(kpiTargets).map(({ target }) => target))];
const units = ['seconds', 'ratio', 'managers', 'refusals', 'connections'];

const ofKpis = ({ kpis: report }: Reading, measure: (kpi: Kpi) => Measurement | null): Measurement[] =>
  report.kpis.map(measure).filter((measured) => measured !== null);

/** A gauge of one number without labels, absent while it is `null`. */
function numberOf(
  read: (mooring: Mooring) => number | null,
  described: Pick<GaugeInstrument, 'about' | 'unit'>,
): GaugeInstrument {
  const measure = (value: number | null): Measurement[] => (value === null ? [] : [{ value }]);
  return { kind: 'gauge', ...described, labels: {}, read: ({ mooring }) => measure(read(mooring)) };
}

/**
 * What is read at each collection, by its name in Prometheus. None of it takes longer the more managers there are;
 * suspects and connections with unsent data are few.
 */
export const gauges = Object.freeze({
  mooring_managers: numberOf(({ managerCount }) => managerCount, {
    about: 'Managers of all users, reserved slots included.',
    unit: '{manager}',
  }),
  mooring_managers_limit: numberOf(({ config }) => config.maxTotalManagers, {
    about: 'How many managers this server takes: `maxTotalManagers`. Absent without such a limit.',
    unit: '{manager}',
  }),
  mooring_users: numberOf(({ userCount }) => userCount, { about: 'Users that hold a manager.', unit: '{user}' }),
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
  mooring_waiting: numberOf(({ waitingCount }) => waitingCount, {
    about: 'Newcomers that wait for a slot.',
    unit: '{newcomer}',
  }),
  mooring_suspects: numberOf(({ suspectCount }) => suspectCount, {
    about:
      'Connections that are suspects: silent to a probe, and not a byte since. Each gives its place to a newcomer of its user, else the heartbeat ends it.',
    unit: '{connection}',
  }),
  mooring_unsent_bytes: numberOf(({ unsentBytes }) => unsentBytes.sum, {
    about: 'Bytes that waited to be sent when the heartbeat last visited each connection, of all connections.',
    unit: 'By',
  }),
  mooring_largest_unsent_bytes: numberOf(({ unsentBytes }) => unsentBytes.largest, {
    about: 'The same of the connection with the most unsent bytes: what `maxUnsentBytes` limits.',
    unit: 'By',
  }),
  mooring_closing: numberOf(({ closingCount }) => closingCount, {
    about: 'Sockets in a closing handshake, begun by either side; each is closed or destroyed within `closeGrace`.',
    unit: '{socket}',
  }),
  mooring_draining: numberOf(({ isDraining }) => Number(isDraining), {
    about: 'Whether the server is stopping: 1 from then on, 0 before.',
    unit: '',
  }),
  mooring_ledger_state: {
    kind: 'gauge',
    about:
      'The state of the shared quota: 1 for the one that it has, 0 for the others. Absent without a ledger that says so.',
    unit: '',
    labels: { state: ledgerStates },
    read: ({ mooring: { ledgerStatus } }) =>
      ledgerStatus === null
        ? []
        : ledgerStates.map((state) => ({ value: Number(state === ledgerStatus.state), labels: { state } })),
  },
  mooring_journal_bytes: numberOf(({ journal }) => journal.bytes, {
    about: 'What the journal of decisions takes, estimated from above; 0 if none is kept.',
    unit: 'By',
  }),
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
    about: 'Verdicts on the success metrics: 1 if the target is met, else 0. Absent without data.',
    unit: '',
    labels: { kpi: kpis, target: targets },
    read: (reading) =>
      ofKpis(reading, ({ name, verdict, target }) =>
        verdict === 'no data' ? null : { value: Number(verdict === 'pass'), labels: { kpi: name, target } },
      ),
  },
  mooring_kpi_samples: {
    kind: 'gauge',
    about: 'How many runs, users, refusals… a success metric was computed from.',
    unit: '{sample}',
    labels: { kpi: kpis },
    read: (reading) => ofKpis(reading, ({ name, samples }) => ({ value: samples, labels: { kpi: name } })),
  },
  mooring_kpi_window_seconds: {
    kind: 'gauge',
    about: 'The time that the success metrics cover: since the start, and at most `kpiWindow`, a day unless set.',
    unit: 's',
    labels: {},
    read: ({ kpis: { window } }) => [{ value: window.durationMs / 1_000 }],
  },
} as const satisfies Record<string, GaugeInstrument>);
