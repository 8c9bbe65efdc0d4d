import { useEffect, useState } from 'preact/hooks';

/** Where in the dashboard we are: behind the `#`, so that it works below any path of any server. */
export interface Route {
  readonly page: 'overview' | 'users' | 'user' | 'events' | 'nowhere';
  readonly userId: string;
  readonly query: URLSearchParams;
}

/** The route of a `#…`. */
export function routeOf(hash: string): Route {
  const [path, query] = cut(hash.replace(/^#\/?/, ''), '?');
  return { ...pageOf(...cut(path, '/')), query: new URLSearchParams(query) };
}

/** What is before the first such character, and all that is behind it. */
function cut(text: string, at: string): readonly [before: string, behind: string] {
  const index = text.indexOf(at);
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)];
}

/** An id that somebody typed may have slashes as they are. */
function pageOf(first: string, rest: string): Pick<Route, 'page' | 'userId'> {
  const userId = decoded(rest);
  if (first === 'users' && userId !== '') return { page: 'user', userId };
  if (first === '') return { page: 'overview', userId: '' };
  return { page: first === 'users' || first === 'events' ? first : 'nowhere', userId: '' };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The address of a user's page. */
export function hashOfUser(userId: string): string {
  return `#/users/${encodeURIComponent(userId)}`;
}

/** A query, without what is empty. */
export function queryOf(values: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== ''));
  return query.toString();
}

/** Says in the address what is looked at, without a step in the history. */
export function replaceHash(page: string, values: Readonly<Record<string, string>>): void {
  location.replace(hashOf(page, values));
}

/** The same, with a step in the history: the way back leads to what was looked at before. */
export function pushHash(page: string, values: Readonly<Record<string, string>>): void {
  location.assign(hashOf(page, values));
}

function hashOf(page: string, values: Readonly<Record<string, string>>): string {
  const query = queryOf(values);
  return `#/${page}${query && `?${query}`}`;
}

export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const look = (): void => {
      setHash(location.hash);
    };
    addEventListener('hashchange', look);
    return () => {
      removeEventListener('hashchange', look);
    };
  }, []);
  return routeOf(hash);
}
