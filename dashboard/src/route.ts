import { useEffect, useState } from 'preact/hooks';

/** The current page, kept behind the `#`, so that the dashboard works below any path of a server. */
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

/** Splits a text at the first such character. */
function cut(text: string, at: string): readonly [before: string, behind: string] {
  const index = text.indexOf(at);
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)];
}

/** A user id in a typed address may have slashes that are not encoded. */
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

/** Puts the query into the address without a step in the history. */
export function replaceHash(page: string, values: Readonly<Record<string, string>>): void {
  location.replace(hashOf(page, values));
}

/** The same with a step in the history, so that the back button leads to the former page. */
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
