import { describe } from '../core/errors.js';
import { isPromise } from '../core/promises.js';

/** Which pages may connect: a list of origins, or a function that returns a boolean (and no promise). */
export type OriginRule = readonly string[] | ((origin: string) => boolean);

/** Scheme, host and port, with or without a trailing slash. No user, path, query, wildcard or white space. */
const originShape = /^([a-z][a-z\d+.-]*):\/\/[^\s/?#@*\\]*\/?$/i;

/** From the scheme of a WebSocket address to the scheme in the `Origin` of the page. */
const pageSchemes: ReadonlyMap<string, string> = new Map([
  ['ws', 'http'],
  ['wss', 'https'],
]);

const wanted = 'wanted an origin as a browser sends it, scheme, host and port: https://app.example';

/** Decides by its `Origin` whether a request may connect. */
export class AllowedOrigins {
  readonly #rule: ReadonlySet<string> | ((origin: string) => unknown) | null;
  readonly #report: (error: unknown) => void;

  /**
   * @param rule @default all are allowed
   * @param report gets the error if a function throws or returns no boolean; then the origin is not allowed
   * @throws TypeError if the rule is not valid
   */
  constructor(rule: OriginRule | undefined, report: (error: unknown) => void) {
    this.#report = report;
    if (rule === undefined) this.#rule = null;
    else this.#rule = typeof rule === 'function' ? rule : normaliseOrigins(rule);
  }

  /** Whether a request with this `Origin`, or without one, is let through. Never throws. */
  allow(origin: string | undefined): boolean {
    const rule = this.#rule;
    if (rule === null || origin === undefined) return true;
    if (typeof rule !== 'function') return rule.has(origin);
    try {
      const answer = rule(origin);
      if (typeof answer === 'boolean') return answer;
      if (isPromise(answer)) answer.then(undefined, () => undefined);
      throw new TypeError(`allowedOrigins returned ${describe(answer)}, wanted true or false`);
    } catch (error) {
      this.#report(error);
      return false;
    }
  }
}

/**
 * The entries of a list of origins as browsers write them: scheme and host in lower case, no default port, no trailing
 * slash, international names in their ASCII form.
 * @throws TypeError if an entry can never match, or would match more than it seems to
 */
function normaliseOrigins(entries: unknown): ReadonlySet<string> {
  if (!Array.isArray(entries)) {
    throw new TypeError(`allowedOrigins: got ${described(entries)}, wanted a list of origins or a function`);
  }
  return new Set(entries.map((entry: unknown) => normaliseOrigin(entry)));
}

function normaliseOrigin(entry: unknown): string {
  const problem = problemOf(entry);
  if (problem !== null) throw new TypeError(`allowedOrigins: got ${described(entry)}, ${problem}`);
  const text = entry as string;
  const { protocol, origin } = new URL(text);
  // For schemes that URL does not know, such as chrome-extension:, its origin is 'null'.
  return origin === 'null'
    ? text.toLowerCase().replace(/(?<=[^/])\/$/, '')
    : `${protocol}${origin.slice(protocol.length)}`;
}

/** Why an entry is not valid, and what to write instead; `null` if it is valid. */
function problemOf(entry: unknown): string | null {
  if (typeof entry !== 'string') return wanted;
  if (entry === '*') return 'wanted origins; to allow all, leave allowedOrigins out';
  if (entry.includes('*'))
    return `${wanted}; for a pattern give a function: (origin) => origin.endsWith('.app.example')`;
  if (entry === 'null') {
    return 'which any page can send from a sandboxed frame, so that it would allow every page; to do so all the same, give a function';
  }
  const scheme = originShape.exec(entry)?.[1]?.toLowerCase();
  if (scheme === undefined || !URL.canParse(entry)) return wanted;
  const pageScheme = pageSchemes.get(scheme);
  if (pageScheme !== undefined) return `wanted the origin of the page, which begins with ${pageScheme}://`;
  return null;
}

function described(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : describe(value);
}
