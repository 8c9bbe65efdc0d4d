import type { Finding, ReleasedBy, ReleaseReason, StrategyName } from '../core/vocabulary.js';
import { tell, type Fields, type Sentence, type Teller } from './fields.js';
import { duration } from './figures.js';
import { inert } from './inert.js';

/** The figures of a manager that a cleanup released, or would release. */
interface ChosenFigures {
  readonly strategy: StrategyName;
  readonly idleMs: number;
  readonly silentMs: number;
  readonly limitMs: number | null;
  readonly finding: Finding | null;
}

type ReasonOf = (chosen: ChosenFigures) => string;

const reasonsByStrategy = {
  disconnected: (chosen) => entryOf(reasonsByFinding, chosen.finding)?.(chosen) ?? `dead: ${silentFor(chosen)}`,
  idle: (chosen) => `abandoned: ${unusedFor(chosen)}`,
  error: (chosen) => `failed: its error stands${limitOf(chosen)}`,
  oldest: (chosen) => `the one left alone longest: ${unusedFor(chosen)}`,
} as const satisfies Record<StrategyName, ReasonOf>;

const reasonsByFinding = {
  closed: (chosen) => `dead: ${deadHow.closed}${silentFor(chosen)}`,
  silent: (chosen) => `suspect: no answer when asked, ${silentFor(chosen)}`,
  stuck: ({ limitMs }) =>
    `too slow: its unsent data did not move${limitMs === null ? '' : ` for ${duration(limitMs)}`}`,
  overfull: () => overfull,
} as const satisfies Record<Finding, ReasonOf>;

const silentFor = ({ silentMs }: ChosenFigures): string => `silent for ${duration(silentMs)}`;
const unusedFor = (chosen: ChosenFigures): string => `unused for ${duration(chosen.idleMs)}${limitOf(chosen)}`;
const limitOf = ({ limitMs }: ChosenFigures): string => (limitMs === null ? '' : `, allowed ${duration(limitMs)}`);

/** How many managers a cleanup released, or would release. It lists only the first of them. */
export function totalOf(byStrategy: Readonly<Record<string, number>>): number {
  return Object.values(byStrategy).reduce((sum, count) => sum + count, 0);
}

/** Why a cleanup releases a manager, or would. */
export function reasonOf(chosen: ChosenFigures): string {
  return entryOf(reasonsByStrategy, chosen.strategy)?.(chosen) ?? `chosen by the strategy ${inert(chosen.strategy)}`;
}

/** `undefined` for a name that only a newer server has. */
function entryOf(table: Readonly<Record<string, ReasonOf>>, name: string | null): ReasonOf | undefined {
  return name !== null && Object.hasOwn(table, name) ? table[name] : undefined;
}

const overfull = 'too slow: more unsent data waited for it than maxUnsentBytes allows';

/** What showed that a connection was dead, by its finding. */
const deadHow = { closed: 'found closed, ', silent: 'no answer to heartbeats, ' } as const;

/** What is known of a suspect. */
interface SuspectFigures {
  readonly unansweredMs: number;
  readonly endsInMs: number | null;
}

/** `has not answered for 29 s; gives its place to a newcomer, else the heartbeat ends it in at most 40 s` */
export function outlookOf({ unansweredMs, endsInMs }: SuspectFigures): string {
  const end = endsInMs === null ? '' : ` in at most ${duration(endsInMs)}`;
  return `has not answered for ${duration(unansweredMs)}; gives its place to a newcomer, else the heartbeat ends it${end}`;
}

const foundBy = {
  background: ', found by the background cleanup',
  level: ', found by a cleanup because the quota filled up',
  admission: ', found to make room for a newcomer',
  request: ', by a cleanup that was asked for',
  heartbeat: ', found by the heartbeat',
} as const satisfies Record<ReleasedBy, string>;

const byReason = {
  closed: tell('neutral', (f) => `closed by itself after ${f.duration('ageMs')}`),
  disconnected: dead,
  idle: tell('warn', (f) => `was released as abandoned: unused for ${f.duration('idleMs')}${allowed(f)}`),
  error: tell(
    'bad',
    (f) => `was released after an error${f.when('limitMs', (ms) => ` that stood for over ${duration(ms)}`)}`,
  ),
  evicted: tell(
    'bad',
    (f) =>
      `${f.text('by') === 'admission' ? 'gave its place to a newcomer' : 'was evicted'}: unused for ${f.duration('idleMs')}${allowed(f)}`,
  ),
  requested: tell('neutral', (f) => `was released because somebody asked, at the age of ${f.duration('ageMs')}`),
  unattached: tell('warn', () => 'was given back: its connection never came'),
  shutdown: tell('neutral', () => 'was released because the server stops'),
} as const satisfies Record<ReleaseReason, Teller>;

/** What became of a manager, and who found it; of a `manager.released`. */
export function released(fields: Fields): Sentence {
  const teller: Teller = fields.in('reason', byReason) ?? tell('neutral', (f) => `was released: ${f.text('reason')}`);
  const { text, tone } = teller(fields);
  return { text: `${fields.text('threadId')} ${text}${fields.in('by', foundBy) ?? ''}.`, tone };
}

/** The connection was not open, left pings unanswered, or its unsent data stood still. */
function dead(fields: Fields): Sentence {
  const silent = `silent for ${fields.duration('silentMs')}`;
  const finding = fields.text('finding');
  const by = fields.text('by');
  if (finding === 'stuck') return stuck(fields);
  if (finding === 'overfull') return { text: `was released as ${overfull}`, tone: 'warn' };
  if (finding !== 'silent' || by === 'heartbeat')
    return { text: `was released as dead: ${fields.in('finding', deadHow) ?? ''}${silent}`, tone: 'warn' };
  const what = by === 'admission' ? 'was a suspect and gave its place to a newcomer' : 'was released as a suspect';
  return { text: `${what}: no answer when asked, ${silent}`, tone: 'warn' };
}

function stuck(fields: Fields): Sentence {
  const forMs = fields.when('limitMs', (ms) => ` for ${duration(ms)}`);
  const isForNewcomer = forMs !== '' && fields.text('by') === 'admission';
  const what = isForNewcomer ? 'gave its place to a newcomer' : 'was released as too slow';
  return { text: `${what}: its unsent data did not move${forMs}`, tone: 'warn' };
}

function allowed(fields: Fields): string {
  return fields.when('limitMs', (ms) => `, more than the ${duration(ms)} allowed`);
}
