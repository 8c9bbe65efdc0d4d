import { Component } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Told } from '../../src/presentation/fields.js';
import { counted, timeOf } from '../../src/presentation/figures.js';
import { knownTypes, sentenceOf } from '../../src/presentation/sentences.js';
import { serverState, type ApiError } from './api.js';
import { dateOf, shown, shownWithin } from './format.js';
import { Trouble, UserLink } from './pieces.js';
import { queryOf, replaceHash } from './route.js';
import type { SseMessage } from './sse.js';
import { Store, useStore } from './store.js';
import { EventWatch, type StreamState } from './stream.js';
import { useTyped } from './typed.js';

const maxRows = 500;

/** New rows appear together, at most this often. */
const drawEveryMs = 250;

const typingMs = 400;

interface Row {
  readonly id: number;
  readonly told: Told;
}

/** The state of the page when the user leaves it. */
interface Kept {
  readonly query: string;
  readonly rows: readonly Row[];
  /** Rows that arrived during a pause. */
  readonly fresh: readonly Row[];
  readonly missed: number;
  readonly isPaused: boolean;
  readonly lastEventId: string;
}

const nothing: Kept = { query: '', rows: [], fresh: [], missed: 0, isPaused: false, lastEventId: '' };

/** When the user comes back, the stream goes on where it was left. */
let kept = nothing;

serverState.subscribe(() => {
  if (serverState.value.needsToken === true) kept = nothing;
});

/** What happens, as it happens. */
export function EventsPage({ query }: { readonly query: URLSearchParams }) {
  const user = query.get('user') ?? '';
  const types = (query.get('types') ?? '').split(',').filter((type) => knownTypes.includes(type));
  const filter = queryOf({ user, types: types.join(',') });
  const [isPaused, setPaused] = useState(kept.isPaused && kept.query === filter);
  return (
    <>
      <h1>Events</h1>
      <Filters user={user} types={types} />
      <Stream key={filter} query={filter} isPaused={isPaused} setPaused={setPaused} />
    </>
  );
}

const choosable = knownTypes.filter((type) => !type.startsWith('stream.'));

function want(user: string, types: readonly string[]): void {
  replaceHash('events', { user, types: types.join(',') });
}

function Filters({ user, types }: { readonly user: string; readonly types: readonly string[] }) {
  const [typed, type] = useTyped({ value: user, onChange: (text) => want(text, types), afterMs: typingMs });
  const toggle = (one: string): void => {
    want(typed, types.includes(one) ? types.filter((other) => other !== one) : [...types, one]);
  };
  return (
    <form class="filters" onSubmit={(event) => event.preventDefault()}>
      <label>
        User
        <input
          type="search"
          maxLength={256}
          placeholder="The whole user id"
          autocomplete="off"
          spellcheck={false}
          value={typed}
          onInput={(event) => type(event.currentTarget.value)}
        />
      </label>
      <details class="types">
        <summary>{types.length === 0 ? 'All types' : counted(types.length, 'type')}</summary>
        <fieldset>
          <legend class="hidden">Types of events</legend>
          {choosable.map((one) => (
            <label key={one} class="check">
              <input type="checkbox" checked={types.includes(one)} onChange={() => toggle(one)} /> {one}
            </label>
          ))}
          <button type="button" class="small" onClick={() => want(typed, [])}>
            Show all types
          </button>
        </fieldset>
      </details>
    </form>
  );
}

const states: Readonly<Record<StreamState, readonly [string, string]>> = {
  connecting: ['', 'connecting'],
  live: ['ok', 'live'],
  lost: ['bad', 'cut off, coming back'],
};

interface StreamProps {
  readonly query: string;
  /** Kept when the filter changes. */
  readonly isPaused: boolean;
  readonly setPaused: (isPaused: boolean) => void;
}

function Stream({ query, isPaused, setPaused }: StreamProps) {
  const { rows, waiting, missed, state, problem } = useEvents(query, isPaused);
  const [tone, words] = states[state];
  return (
    <section class="card" aria-label="Stream of events">
      <header class="card-head">
        <span>
          <span class={`badge ${tone}`} role="status">
            {words}
          </span>{' '}
          <span class="note">
            {isPaused
              ? `paused, ${waiting < maxRows ? counted(waiting, 'new event') : `the last ${maxRows} wait`}`
              : `the last ${maxRows} are kept`}
          </span>
        </span>
        <button type="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          {isPaused ? 'Go on' : 'Pause'}
        </button>
      </header>
      {state === 'lost' && <Trouble problem={problem} />}
      {missed > 0 && (
        <p class="trouble" role="status">
          {counted(missed, 'event')} missed so far: more happened than this page could take.
        </p>
      )}
      {rows.length === 0 && (
        <p class="note">
          {isPaused ? 'Paused before anything came.' : 'Nothing yet. Events appear here as they happen.'}
        </p>
      )}
      <ol class="timeline events" aria-label="Events, the latest first">
        {rows.map((row) => (
          <Line key={row.id} row={row} />
        ))}
      </ol>
    </section>
  );
}

/** Rendered once: a row never changes, and there may be hundreds of them. */
class Line extends Component<{ readonly row: Row }> {
  override shouldComponentUpdate(): boolean {
    return false;
  }

  override render() {
    const { told } = this.props.row;
    const { text, tone } = sentenceOf(told, shownWithin);
    const { userId, atMs } = told;
    const at = new Date(typeof atMs === 'number' ? atMs : NaN);
    return (
      <li class={`tone-${tone}`}>
        <time title={dateOf(at)}>{typeof atMs === 'number' ? timeOf(at) : 'stream'}</time>
        <span class="said">
          {typeof userId === 'string' && (
            <>
              <UserLink userId={userId} />{' '}
            </>
          )}
          {text}
        </span>
        <span class="type">{shown(told.type)}</span>
      </li>
    );
  }
}

/** The id of the last row. Never reset, so that keys stay unique. */
let lastRow = 0;

function useEvents(query: string, isPaused: boolean) {
  const [before] = useState(kept.query === query ? kept : nothing);
  const [rows, setRows] = useState(before.rows);
  const [waiting, setWaiting] = useState(0);
  const [missed, setMissed] = useState(before.missed);
  const [watched, setWatched] = useState<Pick<EventWatch, 'state' | 'problem'>>(unwatched);
  const fresh = useRef<Row[]>([...before.fresh]);
  const left = useRef(before);
  useEffect(() => {
    const watch = new EventWatch({
      query,
      lastEventId: before.lastEventId,
      onMessages: (messages) => {
        const added = messages.map((message) => ({ id: (lastRow += 1), told: toldBy(message) }));
        setMissed((sum) => sum + missedOf(added));
        fresh.current.push(...added);
        fresh.current.splice(0, fresh.current.length - maxRows);
      },
    });
    setWatched(watch);
    return () => {
      watch.close();
      kept = { ...left.current, fresh: fresh.current, lastEventId: watch.lastEventId };
    };
  }, [query]);
  useEffect(() => {
    left.current = { ...nothing, query, rows, missed, isPaused };
  }, [query, rows, missed, isPaused]);
  useEffect(() => {
    const draw = (): void => {
      if (isPaused) setWaiting(fresh.current.length);
      else if (fresh.current.length > 0) {
        const added = fresh.current.splice(0).toReversed();
        setRows((shownRows) => [...added, ...shownRows].slice(0, maxRows));
      }
    };
    draw();
    const timer = setInterval(draw, drawEveryMs);
    return () => clearInterval(timer);
  }, [isPaused]);
  const state = useStore(watched.state);
  return { rows, waiting, missed, state, problem: useStore(watched.problem) };
}

/** Before the watch begins. */
const unwatched = {
  state: new Store<StreamState>('connecting'),
  problem: new Store<ApiError | null>(null),
};

/** How many events the server had to drop for us. Newer events soon push the row about it off the page. */
function missedOf(rows: readonly Row[]): number {
  const counts = rows.filter(({ told }) => told.type === 'stream.dropped').map(({ told }) => told['count']);
  return counts.reduce<number>((sum, count) => sum + (typeof count === 'number' ? count : 0), 0);
}

function toldBy({ type, data }: SseMessage): Told {
  try {
    const read: unknown = JSON.parse(data);
    if (typeof read === 'object' && read !== null) return { ...read, type };
  } catch {
    // Not JSON: shown as it came.
  }
  return { type, data };
}
