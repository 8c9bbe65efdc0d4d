/** The kinds of problems that the admin API answers with: the title of each, by the last part of its type. */
export const problemTitles = Object.freeze({
  'bad-request': 'Bad request',
  unauthorized: 'Unauthorized',
  forbidden: 'Forbidden',
  'no-such-route': 'Not found',
  'not-found': 'Not found',
  'method-not-allowed': 'Method not allowed',
  'content-too-large': 'Content too large',
  'unsupported-media-type': 'Unsupported media type',
  'too-many-requests': 'Too many requests',
  'internal-error': 'Internal error',
  'too-many-viewers': 'Too many viewers',
} as const satisfies Record<string, string>);

export type ProblemKind = keyof typeof problemTitles;

/** The `type` of a problem (RFC 9457): a URI that names its kind, and leads nowhere. */
export function problemType(kind: ProblemKind): string {
  return `urn:mooring:problem:${kind}`;
}
