import { useEffect, useState } from 'preact/hooks';

/** Where in the dashboard we are: behind the `#`, so that it works below any path of any server. */
export interface Route {
  readonly page: 'overview' | 'users' | 'user' | 'events' | 'nowhere';
  readonly userId: string;
  readonly query: URLSearchParams;
}

/** The route of a `#…`. */
export function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [first = '', second] = path.split('/', 2);
  return { ...pageOf(first, second), query: new URLSearchParams(query) };
}

function pageOf(first: string, second: string | undefined): Pick<Route, 'page' | 'userId'> {
  const userId = decoded(second ?? '');
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
  const query = queryOf(values);
  location.replace(`#/${page}${query && `?${query}`}`);
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
