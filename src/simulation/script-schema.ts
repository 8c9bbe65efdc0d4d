import { z } from 'zod';
import { loadConfig } from '../config/load-config.js';
import { ConfigurationError, MalformedContextError } from '../core/errors.js';
import type { ContextFields } from '../core/identity/user-execution-context.js';
import { checkIds } from '../core/identity/ids.js';
import type { Script, Step } from './script.js';
import type { Traits } from './traits.js';

/** Nothing in a script is later, or takes longer, than a week. */
const weekMs = 7 * 24 * 3_600_000;

/** How many mistakes are listed; a file of something else has one in every step. */
const maxProblems = 10;

/** How much of a wrong value is shown. */
const shownLength = 60;

/** What a step has beside its time and its name. A step that is added to `Step` and not here does not compile. */
type Shape<Name extends Step['do']> = {
  readonly [Field in Exclude<keyof (Step & { do: Name }), 'atMs' | 'do'>]-?: z.ZodType<(Step & { do: Name })[Field]>;
};

const durationMs = between(0, weekMs, 'milliseconds, at least 0 and at most a week');
const bytes = whole(Number.MAX_SAFE_INTEGER);
const client = whole(Number.MAX_SAFE_INTEGER);
const count = whole(Number.MAX_SAFE_INTEGER);
const user = id('a user id', (userId) => ({ userId, threadId: 'thread_1' }));
const thread = id('a thread id, such as thread_1', (threadId) => ({ userId: 'user', threadId }));

const traits = {
  roundTripMs: durationMs.exactOptional(),
  lossRatio: between(0, 1, 'a ratio from 0 to 1').exactOptional(),
  closeAfterMs: durationMs.nullable().exactOptional(),
  throwsFrom: z
    .array(oneOf(['ping', 'close', 'terminate', 'isOpen']), 'wanted a list of calls that throw')
    .exactOptional(),
} as const satisfies { readonly [Name in keyof Traits]: z.ZodType<Traits[Name] | undefined> };

const shapes = {
  connect: {
    client,
    user,
    thread,
    traits: z.strictObject(traits, 'wanted an object of traits').exactOptional(),
    openAfterMs: durationMs.exactOptional(),
    process: count.exactOptional(),
  },
  message: { client, bytes },
  send: { client, bytes },
  stream: { client, bytes },
  keepalive: { client },
  leave: { client },
  vanish: { client },
  sleep: { client },
  wake: { client },
  reset: { client },
  hold: { client },
  'let go': { client },
  fail: { client },
  'report error': { client },
  'request release': { client },
  'pause reading': { client },
  'resume reading': { client },
  pause: { client, forMs: durationMs },
  talk: { client, everyMs: durationMs, forMs: durationMs },
  reload: { client, afterMs: durationMs },
  'long message': { client, bytes, overMs: durationMs },
  fight: { user, thread, times: count, everyMs: durationMs },
  hook: { client, kind: oneOf(['returns', 'throws', 'rejects', 'takes long', 'hangs', 'ignores']) },
  'clean up': { user, evict: count.exactOptional(), keep: count.exactOptional() },
  limit: { user, limit: count },
  stall: { forMs: durationMs },
  'leap wall clock': { byMs: between(-weekMs, weekMs, 'milliseconds, at most a week either way') },
  'background cleanup': {},
  stop: {},
  ledger: { mood: oneOf(['well', 'slow', 'failing', 'throwing', 'dead']) },
} as const satisfies { readonly [Name in Step['do']]: Shape<Name> };

const variants = Object.entries(shapes).map(([name, shape]) =>
  z.strictObject({ atMs: durationMs, do: z.literal(name), ...shape }),
);

const step = z.discriminatedUnion('do', variants as [(typeof variants)[number]], {
  error: ({ input }) =>
    typeof input === 'object' && input !== null ? `wanted one of ${Object.keys(shapes).join(', ')}` : 'wanted a step',
});

const schema = z.strictObject(
  {
    seed: between(0, 2 ** 32 - 1, 'a whole number from 0 to 4294967295').int(
      'wanted a whole number from 0 to 4294967295',
    ),
    config: z.record(z.string(), z.unknown(), 'wanted an object of settings').default({}),
    hasLedger: z.boolean('wanted true or false').default(false),
    steps: z.array(step, 'wanted a list of steps'),
  },
  'wanted { seed, config, hasLedger, steps }',
);

/**
 * A script as it was read from JSON. `config` and `hasLedger` may be left out.
 * @throws ConfigurationError with the step, the field, what was got and what was wanted of the first ten mistakes
 */
export function parseScript(written: unknown): Script {
  const result = schema.safeParse(written);
  const problems = result.success
    ? problemsOfConfig(result.data.config)
    : [...new Set(result.error.issues.map((issue) => problemOf(issue, written)))];
  if (problems.length > 0) throw new ConfigurationError(firstOf(problems));
  return result.data as Script; // the shapes are those of its steps, see `Shape`
}

function problemOf(issue: z.core.$ZodIssue, written: unknown): string {
  const where = placeOf(issue.path);
  if (issue.code === 'unrecognized_keys')
    return `${where}: got ${issue.keys.join(', ')}, wanted nothing that is not known`;
  return `${where}: got ${shown(valueAt(written, issue.path))}, ${issue.message}`;
}

/** `steps[3].traits.lossRatio` */
function placeOf(path: readonly PropertyKey[]): string {
  const place = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  return place === '' ? 'the script' : place.slice(1);
}

function valueAt(written: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce((value, key) => (value as Readonly<Record<PropertyKey, unknown>> | undefined)?.[key], written);
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return text.length > shownLength ? `${text.slice(0, shownLength)}…` : text;
}

function problemsOfConfig(overrides: Readonly<Record<string, unknown>>): string[] {
  try {
    loadConfig({ env: {}, environment: 'production', overrides });
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems.map((problem) => `config.${problem}`);
    throw error;
  }
}

function firstOf(problems: readonly string[]): string[] {
  const left = problems.length - maxProblems;
  return left <= 0 ? [...problems] : [...problems.slice(0, maxProblems), `and ${left} more`];
}

function between(min: number, max: number, what: string) {
  const wanted = `wanted ${what}`;
  return z.number(wanted).min(min, wanted).max(max, wanted);
}

function whole(max: number) {
  const wanted = 'a whole number of at least 0';
  return between(0, max, wanted).int(`wanted ${wanted}`);
}

function oneOf<const Name extends string>(names: readonly Name[]) {
  return z.enum(names, `wanted one of ${names.join(', ')}`);
}

/** What the core takes for one. */
function id(what: string, fieldsOf: (id: string) => ContextFields) {
  return z.string(`wanted ${what}`).refine((text) => isAccepted(fieldsOf(text)), `wanted ${what}`);
}

function isAccepted(fields: ContextFields): boolean {
  try {
    checkIds(fields);
    return true;
  } catch (error) {
    if (error instanceof MalformedContextError) return false;
    throw error;
  }
}
