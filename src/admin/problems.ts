import { problemTitles, problemType, type ProblemKind } from './problem-types.js';
import type { Problem } from './schemas.js';

/** A problem without its type and title, which follow from its kind. */
interface ProblemDetails extends Omit<Problem, 'type' | 'title'> {
  readonly kind: ProblemKind;
}

interface ProblemOptions {
  /** Beside those of every problem. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly who?: string | null;
}

/** Something is wrong with a request. Answered as `application/problem+json` (RFC 9457). */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;
  /** The name of the caller, if it is known. */
  readonly who: string | null;

  constructor({ kind, ...details }: ProblemDetails, { headers = {}, who = null }: ProblemOptions = {}) {
    super(details.detail);
    this.problem = { type: problemType(kind), title: problemTitles[kind], ...details };
    this.headers = headers;
    this.who = who;
  }
}

export function badField(field: string, problem: string): ProblemError {
  return badFields([{ field, problem }]);
}

export function badFields(errors: readonly { readonly field: string; readonly problem: string }[]): ProblemError {
  const detail = errors.map(({ field, problem }) => `${field}: ${problem}`).join('; ');
  return new ProblemError({ kind: 'bad-request', status: 400, detail, errors: [...errors] });
}

/** The route exists, but not the thing that its path names. */
export function notFound(detail: string, hint: string): ProblemError {
  return new ProblemError({ kind: 'not-found', status: 404, detail, hint });
}

export function problemResponse({ problem, headers }: ProblemError): Response {
  return new Response(`${JSON.stringify(problem)}\n`, {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers },
  });
}
