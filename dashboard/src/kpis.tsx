import type { KpisView } from '../../src/admin/schemas.js';
import { count, counted, duration, percent } from '../../src/presentation/figures.js';
import { Card, Pending, Trouble } from './pieces.js';
import { usePoll, type Polled } from './poll.js';

const everyMs = 10_000;

type Kpi = KpisView['kpis'][number];

const names: Readonly<Record<Kpi['name'], string>> = {
  emergencyCleanupTime: 'Emergency cleanup time',
  backgroundEffectiveness: 'Background effectiveness',
  alertFrequency: 'Alert frequency',
  accumulation: 'Accumulation',
  connectionSuccess: 'Connection success',
  wrongRefusals: 'Wrong refusals',
  falseKills: 'False kills',
};

const verdicts = { pass: 'ok', fail: 'bad', 'no data': '' } as const;

export function useKpis(): Polled<KpisView> {
  return usePoll<KpisView>('api/v1/kpis', everyMs);
}

/** The verdicts in a few words, for the top of the page. */
export function Verdict({ kpis }: { readonly kpis: readonly Kpi[] }) {
  const failed = kpis.filter(({ verdict }) => verdict === 'fail');
  const passed = kpis.filter(({ verdict }) => verdict === 'pass').length;
  if (failed.length > 0)
    return <span class="badge bad">failing: {failed.map(({ name }) => names[name]).join(', ')}</span>;
  if (passed === 0) return <span class="badge">no metric has data yet</span>;
  const words = passed === kpis.length ? 'all metrics pass' : `${passed} of ${kpis.length} metrics pass, none fails`;
  return <span class="badge ok">{words}</span>;
}

export function Kpis({ polled: { data, problem } }: { readonly polled: Polled<KpisView> }) {
  return (
    <Card title="Success metrics" note={data === null ? '' : windowOf(data.window)}>
      <Trouble problem={problem} />
      {data === null ? <Pending problem={problem} /> : <Table kpis={data.kpis} />}
    </Card>
  );
}

function Table({ kpis }: { readonly kpis: readonly Kpi[] }) {
  return (
    <table class="stacked">
      <thead>
        <tr>
          <th scope="col">Metric</th>
          <th scope="col" class="number">
            Value
          </th>
          <th scope="col">Target</th>
          <th scope="col" class="number">
            Samples
          </th>
          <th scope="col">Verdict</th>
        </tr>
      </thead>
      <tbody>
        {kpis.map((kpi) => (
          <tr key={kpi.name}>
            <th scope="row">
              {kpi.number}. {names[kpi.name]}
              <Beside detail={kpi.detail} />
            </th>
            <td class="number" data-label="Value">
              {valueOf(kpi)}
            </td>
            <td data-label="Target">{kpi.target}</td>
            <td class="number" data-label="Samples">
              {count(kpi.samples)}
            </td>
            <td data-label="Verdict">
              <span class={`badge ${verdicts[kpi.verdict]}`}>{kpi.verdict}</span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A figure that is shown beside a metric and has no verdict. */
function Beside({ detail }: Pick<Kpi, 'detail'>) {
  const heardLate = detail['suspectsHeardLate'] ?? 0;
  if (heardLate === 0) return null;
  return <span class="note small"> {counted(heardLate, 'suspect')} heard late</span>;
}

function valueOf({ value, unit }: Kpi): string {
  if (value === null) return '–';
  if (unit === 'ms') return duration(value);
  return unit === 'ratio' ? percent(value) : counted(value, unit.replace(/s$/, ''));
}

const dayMs = 86_400_000;

/** The time that the metrics cover, and whether that is a shorter window than usual. */
function windowOf({ durationMs, lengthMs, isSinceStart }: KpisView['window']): string {
  const about = isSinceStart ? `since the start, ${duration(durationMs)} ago` : `the last ${duration(durationMs)}`;
  return lengthMs < dayMs ? `${about}; a short window of ${duration(lengthMs)}` : about;
}
