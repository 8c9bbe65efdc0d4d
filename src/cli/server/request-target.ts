import type { IncomingMessage } from 'node:http';

/**
 * The target of a request as path and query. Clients that take this server for a proxy send a whole URL (RFC 9112,
 * 3.2.2), which may have a name and a password: these are left out, so that no log has them.
 */
export function originFormOf({ url = '/' }: IncomingMessage): string {
  const [, rest] = /^[a-z][a-z\d+.-]*:\/\/[^/?#]*(.*)$/is.exec(url) ?? [];
  if (rest === undefined) return url;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** The path of a request, without its query. */
export function pathOf(request: IncomingMessage): string {
  return originFormOf(request).split(/[?#]/, 1)[0] ?? '/';
}
