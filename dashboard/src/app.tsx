import { useEffect, useRef } from 'preact/hooks';
import { hasToken, learnOfSignIn, serverState, signOut } from './api.js';
import { EventsPage } from './events-page.js';
import { dateOf, shown } from './format.js';
import { OverviewPage } from './overview-page.js';
import { Pending } from './pieces.js';
import { usePoll, type Polled } from './poll.js';
import { useRoute, type Route } from './route.js';
import { ShutOut, SignIn } from './sign-in.js';
import { useStore } from './store.js';
import { theme, toggleTheme } from './theme.js';
import { UserPage } from './user-page.js';
import { UsersPage } from './users-page.js';

interface Health {
  readonly status: 'ok' | 'draining';
  readonly managers: number;
  readonly version: string;
  readonly wantsToken: boolean;
  readonly loginUrl?: string;
}

const healthEveryMs = 5_000;

const pages = [
  ['overview', 'Overview', '#/'],
  ['users', 'Users', '#/users'],
  ['events', 'Events', '#/events'],
] as const;

/** The title of the tab. A change of the title moves the focus to the page. */
function titleOf({ page, userId }: Route): string {
  const titles = { overview: 'Overview', users: 'Users', user: '', events: 'Events', nowhere: 'Not found' };
  return page === 'user' ? `${shown(userId)} · User` : titles[page];
}

/** The whole page. */
export function App() {
  const route = useRoute();
  const { needsToken, shutOut } = useStore(serverState);
  const { data: health, problem } = useHealth();
  const isUnknown = needsToken === null && !hasToken();
  useTitle(needsToken === true ? 'Sign in' : titleOf(route), needsToken !== true);
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to the content
      </button>
      <Head route={route} isSignedIn={needsToken !== true && !isUnknown} />
      <Banners health={health} />
      <main id="main" tabIndex={-1}>
        {isUnknown ? (
          <Pending problem={problem} />
        ) : needsToken === true ? (
          <SignIn />
        ) : shutOut !== null ? (
          <ShutOut problem={shutOut} />
        ) : (
          <Page route={route} />
        )}
      </main>
      <footer class="foot note">Mooring {health?.version ?? ''}</footer>
    </>
  );
}

/** The health of the server, and whether it needs a token. If health is not served, none is assumed until a refusal. */
function useHealth(): Polled<Health> {
  const polled = usePoll<Health>('healthz', healthEveryMs);
  const { data, problem } = polled;
  const isKept = problem !== null && problem.status !== 0;
  useEffect(() => {
    if (data !== null) learnOfSignIn(data);
    else if (isKept) learnOfSignIn({ wantsToken: false });
  }, [data, isKept]);
  return polled;
}

function Page({ route }: { readonly route: Route }) {
  switch (route.page) {
    case 'overview':
      return <OverviewPage />;
    case 'users':
      return <UsersPage query={route.query} />;
    case 'user':
      return <UserPage key={route.userId} userId={route.userId} />;
    case 'events':
      return <EventsPage query={route.query} />;
    case 'nowhere':
      return (
        <>
          <h1>Not found</h1>
          <p>
            There is no such page. Go to the <a href="#/">overview</a>.
          </p>
        </>
      );
  }
}

function Head({ route, isSignedIn }: { readonly route: Route; readonly isSignedIn: boolean }) {
  const active = route.page === 'user' ? 'users' : route.page;
  return (
    <header class="head">
      <a class="brand" href="#/" aria-label="Mooring, overview">
        <Mark /> Mooring
      </a>
      {isSignedIn && (
        <nav aria-label="Pages">
          {pages.map(([page, name, href]) => (
            <a key={page} href={href} aria-current={page === active ? 'page' : undefined}>
              {name}
            </a>
          ))}
        </nav>
      )}
      <div class="head-end">
        <ThemeSwitch />
        {isSignedIn && hasToken() && (
          <button type="button" class="quiet" onClick={signOut}>
            Sign out
          </button>
        )}
      </div>
    </header>
  );
}

function ThemeSwitch() {
  const isDark = useStore(theme) === 'dark';
  return (
    <button type="button" class="quiet" role="switch" aria-checked={isDark} onClick={toggleTheme}>
      <span aria-hidden="true">{isDark ? '☾' : '☀'}</span> Dark
    </button>
  );
}

function Mark() {
  return (
    <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true" class="mark">
      <circle cx="16" cy="7" r="3.5" />
      <path d="M16 11v16M10 15h12M5 19c1 5 5 8 11 8s10-3 11-8" />
    </svg>
  );
}

/** For every page: whether the server can be reached, and whether it is draining. */
function Banners({ health }: { readonly health: Health | null }) {
  const { isReachable, lastAnswerAt } = useStore(serverState);
  return (
    <div class="banners">
      {!isReachable && (
        <p class="banner bad" role="alert">
          <strong>The server cannot be reached.</strong>{' '}
          {lastAnswerAt === null
            ? 'It has not answered yet.'
            : `What you see is as of its last answer, ${dateOf(lastAnswerAt)}.`}{' '}
          Trying again.
        </p>
      )}
      {isReachable && health?.status === 'draining' && (
        <p class="banner warn" role="status">
          <strong>The server is draining.</strong> No new connection is admitted, and connections are closed in waves.
        </p>
      )}
    </div>
  );
}

/** Moves the focus to the top of a new page, except to sign in: there it goes to the field. */
function useTitle(title: string, takesFocus: boolean): void {
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = `${title} · Mooring`;
    if (!isFirst.current && takesFocus) document.getElementById('main')?.focus({ preventScroll: true });
    isFirst.current = false;
  }, [title]);
}
