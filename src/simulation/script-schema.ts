import { z } from 'zod';
import { loadConfig } from '../config/load-config.js';
import { ConfigurationError, MalformedContextError } from '../core/errors.js';
import { checkIds } from '../core/identity/ids.js';
import type { ContextFields } from '../core/identity/user-execution-context.js';
import type { WebSocketConfig } from '../core/settings.js';
import { hookKinds } from './hook-record.js';
import { ledgerMoods } from './outage-ledger.js';
import { throwingCalls, type Traits } from './traits.js';

/** Nothing in a script is later, or takes longer, than a week. */
const weekMs = 7 * 24 * 3_600_000;

/** How many mistakes are listed. A file that is no script has one in every step. */
const maxProblems = 10;

/** How many characters of a wrong value are shown. */
const shownLength = 60;

const durationMs = between(0, weekMs, 'milliseconds, at least 0 and at most a week');
const count = between(0, Number.MAX_SAFE_INTEGER, 'a whole number of at least 0').int(
  'wanted a whole number of at least 0',
);
const seed = between(0, 2 ** 32 - 1, 'a whole number from 0 to 4294967295').int(
  'wanted a whole number from 0 to 4294967295',
);
const user = id('a user id', (userId) => ({ userId, threadId: 'thread_1' }));
const thread = id('a thread id, such as thread_1', (threadId) => ({ userId: 'user', threadId }));
const traits = z.strictObject(
  {
    roundTripMs: durationMs.exactOptional(),
    lossRatio: between(0, 1, 'a ratio from 0 to 1').exactOptional(),
    closeAfterMs: durationMs.nullable().exactOptional(),
    throwsFrom: z.array(oneOf(throwingCalls), 'wanted a list of calls that throw').exactOptional(),
  } satisfies { readonly [Name in keyof Traits]: z.ZodType<Traits[Name] | undefined> },
  'wanted an object of traits',
);

/** Every kind of step, with its fields besides `atMs` and `do`. */
const fields = {
  /** `process`: the number of the user's process that the client lives in. @default a process of its own */
  connect: {
    client: count,
    user,
    thread,
    traits: traits.exactOptional(),
    openAfterMs: durationMs.exactOptional(),
    process: count.exactOptional(),
  },
  message: { client: count, bytes: count },
  /** The application sends a message. */
  send: { client: count, bytes: count },
  /** The application sends ten messages, one a second. */
  stream: { client: count, bytes: count },
  keepalive: { client: count },
  leave: { client: count },
  vanish: { client: count },
  sleep: { client: count },
  wake: { client: count },
  reset: { client: count },
  hold: { client: count },
  'let go': { client: count },
  fail: { client: count },
  'report error': { client: count },
  'request release': { client: count },
  'pause reading': { client: count },
  'resume reading': { client: count },
  /** The client's process pauses, with all connections in it. */
  pause: { client: count, forMs: durationMs },
  talk: { client: count, everyMs: durationMs, forMs: durationMs },
  /** The application holds the connection; the page closes it and connects again. */
  reload: { client: count, afterMs: durationMs },
  'long message': { client: count, bytes: count, overMs: durationMs },
  /** Two clients keep taking a thread from each other. */
  fight: { user, thread, times: count, everyMs: durationMs },
  /** The application registers a release hook. */
  hook: { client: count, kind: oneOf(hookKinds) },
  'clean up': { user, evict: count.exactOptional(), keep: count.exactOptional() },
  limit: { user, limit: count },
  stall: { forMs: durationMs },
  'leap wall clock': { byMs: between(-weekMs, weekMs, 'milliseconds, at most a week either way') },
  'background cleanup': {},
  stop: {},
  ledger: { mood: oneOf(ledgerMoods) },
} as const;

/** The name of a kind of step. */
export type StepName = keyof typeof fields;

/** The fields of a kind of step; without any, `z.infer` would forbid all others. */
type FieldsOf<Name extends StepName> = keyof (typeof fields)[Name] extends never
  ? unknown
  : Readonly<z.infer<z.ZodObject<(typeof fields)[Name]>>>;

/** A step of these kinds. */
export type StepOf<Name extends StepName> = {
  [Kind in Name]: { readonly atMs: number; readonly do: Kind } & FieldsOf<Kind>;
}[Name];

/** Something that happens at some time. Clients have numbers. A step of a client that is not there does nothing. */
export type Step = StepOf<StepName>;

/** A world and what happens in it: plain JSON, so that it can be kept, shortened and run again. */
export interface Script {
  readonly seed: number;
  readonly config: Partial<WebSocketConfig>;
  /** Whether there is a quota ledger. */
  readonly hasLedger: boolean;
  readonly steps: readonly Step[];
}

const variants = Object.entries(fields).map(([name, shape]) =>
  z.strictObject({ atMs: durationMs, do: z.literal(name), ...shape }),
);

const step = z.discriminatedUnion('do', variants as [(typeof variants)[number]], {
  error: ({ input }) =>
    typeof input === 'object' && input !== null ? `wanted one of ${Object.keys(fields).join(', ')}` : 'wanted a step',
});

const schema = z.strictObject(
  {
    seed,
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
  return result.data as Script; // `Step` is inferred from the same fields
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

function oneOf<const Name extends string>(names: readonly Name[]) {
  return z.enum(names, `wanted one of ${names.join(', ')}`);
}

/** An id that the core accepts. */
function id(what: string, fieldsOf: (id: string) => ContextFields) {
  return z.string(`wanted ${what}`).refine((text) => isAccepted(fieldsOf(text)), `wanted ${what}`);
}

function isAccepted(contextFields: ContextFields): boolean {
  try {
    checkIds(contextFields);
    return true;
  } catch (error) {
    if (error instanceof MalformedContextError) return false;
    throw error;
  }
}
