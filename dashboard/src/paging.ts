/** Users on a page. */
export const pageSize = 50;

/** The cursors in an address, of the second page up to the one looked at; the first page has none. */
export function cursorsIn(query: URLSearchParams): readonly string[] {
  return (query.get('after') ?? '').split('.').filter((cursor) => cursor !== '');
}

/** The path of a page of a list. */
export function pathOfPage(list: string, cursors: readonly string[]): string {
  const cursor = cursors.at(-1);
  return `api/v1/users?${list}&limit=${pageSize}${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
}
