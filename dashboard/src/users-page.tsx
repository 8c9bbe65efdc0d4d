import { useEffect, useRef, useState } from 'preact/hooks';
import type { UserPage, UserSummary } from '../../src/admin/schemas.js';
import { count, counted, duration, timeOf } from '../../src/presentation/figures.js';
import { Pager } from './pager.js';
import { cursorsIn, pathOfPage } from './paging.js';
import { LevelBadge, levels, Pending, Trouble, Usage, UserLink } from './pieces.js';
import { usePoll, type Polled } from './poll.js';
import { pushHash, queryOf, replaceHash } from './route.js';
import { useTyped } from './typed.js';

const everyMs = 5_000;

/** How long the user must pause before the search is sent. */
const typingMs = 250;

const sorts = { usage: 'Usage, fullest first', idle: 'Unused, longest first', id: 'User id' } as const;

type Sort = keyof typeof sorts;

interface Wanted {
  readonly search: string;
  readonly level: string;
  readonly sort: Sort;
}

/** Users, a page at a time: the server counts, searches and sorts. */
export function UsersPage({ query }: { readonly query: URLSearchParams }) {
  const wanted = wantedIn(query);
  const list = queryOf({ ...wanted });
  const [found, setFound] = useState<number | null>(null);
  return (
    <>
      <h1>Users</h1>
      <Filters wanted={wanted} />
      <p class="hidden" role="status">
        {found !== null && `${counted(found, 'user')} found`}
      </p>
      <List key={list} list={list} wanted={wanted} cursors={cursorsIn(query)} onFound={setFound} />
    </>
  );
}

function wantedIn(query: URLSearchParams): Wanted {
  const level = query.get('level') ?? '';
  const sort = query.get('sort') ?? '';
  return {
    search: query.get('search') ?? '',
    level: (levels as readonly string[]).includes(level) ? level : '',
    sort: Object.hasOwn(sorts, sort) ? (sort as Sort) : 'usage',
  };
}

/** The query in the address. */
function valuesOf({ search, level, sort }: Wanted): Record<string, string> {
  return { search, level, sort: sort === 'usage' ? '' : sort };
}

function want(wanted: Wanted): void {
  replaceHash('users', valuesOf(wanted));
}

function Filters({ wanted }: { readonly wanted: Wanted }) {
  const onChange = (search: string): void => want({ ...wanted, search });
  const [typed, type] = useTyped({ value: wanted.search, onChange, afterMs: typingMs });
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <label>
        Search
        <input
          type="search"
          maxLength={256}
          placeholder="Part of a user id"
          autocomplete="off"
          spellcheck={false}
          value={typed}
          onInput={(event) => type(event.currentTarget.value)}
        />
      </label>
      <label>
        Alert level
        <select
          value={wanted.level}
          onChange={(event) => want({ ...wanted, search: typed, level: event.currentTarget.value })}
        >
          <option value="">all levels</option>
          {levels.map((level) => (
            <option key={level}>{level}</option>
          ))}
        </select>
      </label>
      <label>
        Sort by
        <select
          value={wanted.sort}
          onChange={(event) => want({ ...wanted, search: typed, sort: event.currentTarget.value as Sort })}
        >
          {Object.entries(sorts).map(([sort, name]) => (
            <option key={sort} value={sort}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </form>
  );
}

interface ListProps {
  readonly list: string;
  readonly wanted: Wanted;
  readonly cursors: readonly string[];
  /** Called once for each list: a screen reader does not read out later changes. */
  readonly onFound: (total: number) => void;
}

function List({ list, wanted, cursors, onFound }: ListProps) {
  const polled = usePoll<UserPage>(pathOfPage(list, cursors), everyMs);
  const { data, problem, isCurrent } = polled;
  const page = useShownPage(cursors.length + 1, isCurrent);
  useRedirectToFirstPage(polled, cursors, wanted);
  const isFound = data !== null;
  useEffect(() => {
    if (data !== null) onFound(data.total);
  }, [isFound]);
  if (data === null)
    return (
      <>
        <Trouble problem={problem} />
        <Pending problem={problem} />
      </>
    );
  return (
    <>
      <Trouble problem={problem} />
      <p class="note list-note">
        <span>{counted(data.total, 'user')}</span>, as of {timeOf(new Date(data.asOf))}
      </p>
      {data.users.length === 0 ? (
        <p class="card">{emptyTextOf(wanted)}</p>
      ) : (
        <Table users={data.users} wanted={wanted} />
      )}
      <Pager
        page={page}
        cursors={cursors}
        total={data.total}
        next={isCurrent ? data.nextCursor : null}
        onTurn={(turned) => {
          pushHash('users', { ...valuesOf(wanted), after: turned.join('.') });
          scrollTo({ top: 0 }); // the button stands below the list
        }}
      />
    </>
  );
}

/** The number of the page that is shown: the former page, until the next one has arrived. */
function useShownPage(asked: number, isCurrent: boolean): number {
  const shown = useRef(asked);
  if (isCurrent) shown.current = asked;
  return shown.current;
}

/** Goes to the first page if this page does not exist (any longer). */
function useRedirectToFirstPage(
  { data, problem, isCurrent }: Polled<UserPage>,
  cursors: readonly string[],
  wanted: Wanted,
): void {
  const isEmpty = isCurrent && data?.users.length === 0;
  const isLost = cursors.length > 0 && (isEmpty || problem?.status === 400);
  useEffect(() => {
    if (isLost) want(wanted);
  }, [isLost]);
}

function emptyTextOf({ search, level }: Wanted): string {
  return search === '' && level === '' ? 'Nobody is connected.' : 'No user matches.';
}

function Table({ users, wanted }: { readonly users: readonly UserSummary[]; readonly wanted: Wanted }) {
  return (
    <div class="card table-card">
      <table class="stacked users">
        <thead>
          <tr>
            <Sorted by="id" name="User" wanted={wanted} />
            <Sorted by="usage" name="Usage" wanted={wanted} />
            <th scope="col">Level</th>
            <th scope="col" class="number">
              Held
            </th>
            <th scope="col" class="number">
              Suspects
            </th>
            <th scope="col" class="number">
              Waiting
            </th>
            <th scope="col" class="number">
              Last used
            </th>
            <Sorted by="idle" name="Longest unused" wanted={wanted} class="number" />
          </tr>
        </thead>
        <tbody>
          {users.map((user) => (
            <Row key={user.userId} user={user} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface SortedProps {
  readonly by: Sort;
  readonly name: string;
  readonly wanted: Wanted;
  readonly class?: string;
}

/** The head of a column that can be sorted by. Each has one direction that makes sense. */
function Sorted({ by, name, wanted, class: className = '' }: SortedProps) {
  const isSorted = wanted.sort === by;
  const direction = by === 'id' ? 'ascending' : 'descending';
  return (
    <th scope="col" class={className} aria-sort={isSorted ? direction : 'none'}>
      <button type="button" class="sort" onClick={() => want({ ...wanted, sort: by })}>
        {name} <span aria-hidden="true">{isSorted ? (by === 'id' ? '↑' : '↓') : '↕'}</span>
      </button>
    </th>
  );
}

function Row({ user }: { readonly user: UserSummary }) {
  return (
    <tr>
      <th scope="row">
        <UserLink userId={user.userId} />
      </th>
      <td data-label="Usage">
        <Usage used={user.managerCount} limit={user.maxManagers} ratio={user.usageRatio} level={user.alertLevel} />
      </td>
      <td data-label="Level">
        <LevelBadge level={user.alertLevel} />
      </td>
      <td data-label="Held" class="number">
        {count(user.held)}
      </td>
      <td data-label="Suspects" class="number">
        {count(user.suspects)}
      </td>
      <td data-label="Waiting" class="number">
        {count(user.waiting)}
      </td>
      <td data-label="Last used" class="number">
        {duration(user.idleMs)} ago
      </td>
      <td data-label="Longest unused" class="number">
        {duration(user.longestIdleMs)}
      </td>
    </tr>
  );
}
