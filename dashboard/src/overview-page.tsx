import { useMemo } from 'preact/hooks';
import type { KpisView, Overview, Sample } from '../../src/admin/schemas.js';
import { bytes, count, counted, duration } from '../../src/presentation/figures.js';
import { releaseLabels, strategyLabels } from '../../src/presentation/releases.js';
import { Chart } from './chart.js';
import { dateOf, shown } from './format.js';
import { Kpis, useKpis, Verdict } from './kpis.js';
import { Bar, Card, LevelBadge, levels, Pending, Trouble } from './pieces.js';
import { usePoll, type Polled } from './poll.js';

const everyMs = 3_000;

/** The server at a glance. */
export function OverviewPage() {
  const { data, problem } = usePoll<Overview>('api/v1/overview', everyMs);
  const kpis = useKpis();
  return (
    <>
      <div class="title">
        <h1>Overview</h1>
        {kpis.data !== null && <Verdict kpis={kpis.data.kpis} />}
      </div>
      <Trouble problem={problem} />
      {data === null ? <Pending problem={problem} /> : <Glance overview={data} kpis={kpis} />}
    </>
  );
}

function Glance({ overview, kpis }: { readonly overview: Overview; readonly kpis: Polled<KpisView> }) {
  const { totals } = overview;
  return (
    <>
      <Ledger ledger={overview.ledger} />
      <Figures overview={overview} />
      <div class="columns">
        <Charts samples={overview.samples} />
      </div>
      <div class="columns">
        <Levels overview={overview} />
        <Tally title="Releases by reason" counts={totals.released} words={releaseLabels} />
        <Tally title="Cleanups by strategy" counts={totals.cleaned} words={strategyLabels} hint={strategyHint} />
        <Tally title="Refusals by cause" counts={totals.refused} words={refusalWords} />
      </div>
      <Kpis polled={kpis} />
      <Server overview={overview} />
    </>
  );
}

/** The shared quota, while it cannot be asked. */
function Ledger({ ledger }: Pick<Overview, 'ledger'>) {
  if (ledger === null || ledger.state === 'up') return null;
  return (
    <p class="trouble" role="alert">
      <strong>
        The shared quota is {ledger.state} for {duration(ledger.forMs)}.
      </strong>{' '}
      <span>{shown(ledger.reason ?? '')}</span>
    </p>
  );
}

function Figures({ overview }: { readonly overview: Overview }) {
  const { managers, connections, users, waiting, suspects, unsentBytes, totals, limits } = overview;
  const refused = Object.values(totals.refused).reduce((sum, one) => sum + one, 0);
  const most = limits.total === null ? 'live and reserved' : `of at most ${count(limits.total)}`;
  return (
    <dl class="figures">
      <Figure name="Managers" value={count(managers)} note={most} />
      <Figure name="Connections" value={count(connections)} note="attached now" />
      <Figure name="Users" value={count(users)} note={`up to ${count(limits.perUser)} each by default`} />
      <Figure name="Waiting" value={count(waiting)} note="for a place" />
      <Figure name="Suspects" value={count(suspects)} note="do not answer" />
      <Figure name="Unsent" value={bytes(unsentBytes.sum)} note={`at most ${bytes(unsentBytes.largest)} for one`} />
      <Figure name="Admitted" value={count(totals.admitted)} note={`${count(totals.takenOver)} taken over`} />
      <Figure name="Refused" value={count(refused)} note="since the start" />
    </dl>
  );
}

function Figure({ name, value, note }: { readonly name: string; readonly value: string; readonly note: string }) {
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>
        <b>{value}</b> <span class="note">{note}</span>
      </dd>
    </div>
  );
}

function Charts({ samples }: { readonly samples: readonly Sample[] }) {
  const times = useMemo(() => samples.map(({ at }) => Date.parse(at) / 1_000), [samples]);
  const of = (name: Exclude<keyof Sample, 'at'>): (number | null)[] => samples.map((sample) => sample[name]);
  return (
    <>
      <Chart
        title="Managers"
        axis="managers"
        times={times}
        format={count}
        series={[
          { label: 'Managers', color: 'accent', values: of('managers') },
          { label: 'Waiting', color: 'second', values: of('waiting') },
        ]}
      />
      <Chart
        title="Admissions and refusals"
        axis="per 5 s"
        times={times}
        format={count}
        series={[
          { label: 'Admitted', color: 'accent', values: of('admitted') },
          { label: 'Taken over', color: 'second', values: of('takenOver') },
          { label: 'Refused', color: 'third', values: of('refused') },
        ]}
      />
      <Chart
        title="Releases and cleanups"
        axis="per 5 s"
        times={times}
        format={count}
        series={[
          { label: 'Released', color: 'accent', values: of('released') },
          { label: 'Of those, by a cleanup', color: 'second', values: of('cleaned') },
        ]}
      />
      <Chart
        title="Longest emergency"
        axis="duration"
        times={times}
        format={duration}
        series={[{ label: 'Cleanup or wait', color: 'accent', values: of('longestEmergencyMs'), isPoints: true }]}
      />
    </>
  );
}

function Levels({ overview: { usersByLevel, users } }: { readonly overview: Overview }) {
  return (
    <Card title="Users by alert level">
      <ul class="tally">
        {levels.toReversed().map((level) => (
          <li key={level}>
            <a href={`#/users?level=${level}`} aria-label={`${level}: ${counted(usersByLevel[level], 'user')}`}>
              <LevelBadge level={level} />
            </a>
            <Bar ratio={usersByLevel[level] / Math.max(1, users)} tone={`level-${level}`} />
            <b>{count(usersByLevel[level])}</b>
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** Why "dead or suspect" is less here than among the releases. */
const strategyHint = 'The heartbeat releases dead connections, too; only cleanups are counted here.';

const refusalWords: Readonly<Record<string, string>> = {
  quota: 'quota is full',
  capacity: 'server is full',
  unavailable: 'shared quota cannot be asked',
  contested: 'fight for a thread',
  slow: 'took too long',
  drain: 'draining',
};

interface TallyProps {
  readonly title: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly words: Readonly<Record<string, string>>;
  /** Explains the figures. */
  readonly hint?: string;
}

/** Counts by name, the largest first. */
function Tally({ title, counts, words, hint }: TallyProps) {
  const some = Object.entries(counts).filter(([, value]) => value > 0);
  const entries = some.toSorted(([, one], [, other]) => other - one);
  const sum = entries.reduce((all, [, one]) => all + one, 0);
  return (
    <Card title={title} note="since the start">
      <ul class="tally">
        {entries.map(([name, value]) => (
          <li key={name}>
            <span>{words[name] ?? shown(name)}</span>
            <Bar ratio={value / Math.max(1, sum)} />
            <b>{count(value)}</b>
          </li>
        ))}
        {entries.length === 0 && <li class="note">none yet</li>}
      </ul>
      {hint !== undefined && <p class="note tally-hint">{hint}</p>}
    </Card>
  );
}

function Server({ overview }: { readonly overview: Overview }) {
  const { startedAt, uptimeMs, memory, journal, viewers } = overview;
  return (
    <Card title="Server">
      <dl class="facts">
        <Fact name="Counting since" value={`${dateOf(new Date(startedAt))} (${duration(uptimeMs)})`} />
        <Fact name="Memory" value={`${bytes(memory.residentBytes)}, heap ${bytes(memory.heapUsedBytes)}`} />
        <Fact
          name="Journal"
          value={
            journal.isKept
              ? `${bytes(journal.bytes)} of ${bytes(journal.maxBytes)}, ${count(journal.users)} users`
              : 'not kept'
          }
        />
        {overview.ledger !== null && (
          <Fact name="Shared quota" value={`${overview.ledger.state} for ${duration(overview.ledger.forMs)}`} />
        )}
        <Fact
          name="Watching events"
          value={`${count(viewers.watching)}, ${count(viewers.droppedEvents)} events dropped`}
        />
      </dl>
    </Card>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
