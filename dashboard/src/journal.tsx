import type { JournalView } from '../../src/admin/schemas.js';
import { counted, timeOf } from '../../src/presentation/figures.js';
import { sentenceOf } from '../../src/presentation/sentences.js';
import { pathOfUser } from './api.js';
import { dateOf, shown, shownWithin } from './format.js';
import { Card, Pending, Trouble } from './pieces.js';
import { usePoll } from './poll.js';

const everyMs = 3_000;

type Entry = JournalView['entries'][number];

/** The journal of a user, the latest entry first. */
export function Journal({ userId }: { readonly userId: string }) {
  const { data, problem } = usePoll<JournalView>(`${pathOfUser(userId)}/journal`, everyMs);
  return (
    <Card title="Journal" note={data === null ? '' : counted(data.entries.length, 'entry', 'entries')}>
      {problem?.status === 404 ? <Forgotten journal={data} /> : <Trouble problem={problem} />}
      {data === null ? <Pending problem={problem} /> : <Timeline journal={data} />}
    </Card>
  );
}

/** Not shown as an error: a restarted server has no older entries. Those that were read stay readable. */
function Forgotten({ journal }: { readonly journal: JournalView | null }) {
  const hasEntries = journal !== null && journal.entries.length > 0;
  return (
    <p class="note">
      {hasEntries
        ? 'The server has no journal of this user any longer. This is what it said last.'
        : 'The server has no journal of this user.'}
    </p>
  );
}

function Timeline({ journal: { isKept, entries } }: { readonly journal: JournalView }) {
  if (!isKept) return <p class="note">This server keeps no journal (journalBytes is 0).</p>;
  if (entries.length === 0) return <p class="note">Nothing was decided lately.</p>;
  return (
    <ol class="timeline">
      {entries.map((entry, index) => <Line key={`${index} ${entry.at} ${entry.type}`} entry={entry} />).toReversed()}
    </ol>
  );
}

function Line({ entry }: { readonly entry: Entry }) {
  const { text, tone } = sentenceOf(entry, shownWithin);
  const at = new Date(entry.at);
  return (
    <li class={`tone-${tone}`}>
      <time dateTime={entry.at} title={dateOf(at)}>
        {timeOf(at)}
      </time>
      <span class="said">{text}</span>
      <span class="type">{shown(entry.type)}</span>
    </li>
  );
}
