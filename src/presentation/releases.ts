import {
  strategies,
  type Finding,
  type ReleasedBy,
  type ReleaseReason,
  type StrategyFigure,
  type StrategyName,
  type StrategyReason,
} from '../core/vocabulary.js';
import { Fields, type Sentence, type Tone, type Words } from './fields.js';
import { duration } from './figures.js';
import { inert } from './inert.js';

/** What starts a cleanup, or finds a dead connection, as it stands within a sentence. */
export const releasers = {
  heartbeat: 'the heartbeat',
  background: 'the background cleanup',
  level: 'a cleanup because the quota filled up',
  admission: 'an emergency cleanup for a newcomer',
  request: 'a requested cleanup',
} as const satisfies Record<ReleasedBy, string>;

const silent: Words = (f) => `silent for ${f.duration('silentMs')}`;
const unused: Words = (f) => `unused for ${f.duration('idleMs')}${f.when('limitMs', moreThan)}`;
const moreThan = (ms: number): string => `, more than the ${duration(ms)} allowed`;

const byFinding = {
  closed: (f) => `dead: found closed, ${silent(f)}`,
  silent: (f) =>
    f.event['by'] === 'heartbeat'
      ? `dead: no answer to heartbeats, ${silent(f)}`
      : `a suspect: no answer when asked, ${silent(f)}`,
  stuck: (f) => `too slow: its unsent data did not move${f.when('limitMs', (ms) => ` for ${duration(ms)}`)}`,
  overfull: () => 'too slow: more unsent data waited for it than maxUnsentBytes allows',
} as const satisfies Record<Finding, Words>;

const byFigure = {
  silence: (f) => `: ${silent(f)}`,
  idleness: (f) => `: ${unused(f)}`,
  errorAge: (f) => f.when('limitMs', (ms) => `: its error stood for over ${duration(ms)}`),
} as const satisfies Record<StrategyFigure, Words>;

type Strategy = (typeof strategies)[StrategyName];

const wordsOf =
  ({ verdict, figure }: Strategy): Words =>
  (f) =>
    f.in<Words>('finding', byFinding)?.(f) ?? `${verdict}${byFigure[figure](f)}`;

const rows: readonly [StrategyName, Strategy][] = Object.entries(strategies) as [StrategyName, Strategy][];

/** A table with an entry for each strategy, by its name or by its reason. */
function ofEach<Name extends string, T>(entryOf: (name: StrategyName, row: Strategy) => [Name, T]) {
  return Object.fromEntries(rows.map(([name, row]) => entryOf(name, row))) as Readonly<Record<Name, T>>;
}

const byStrategy = ofEach((name, row) => [name, wordsOf(row)]);

/** The name of each strategy in a list of them. */
export const strategyLabels = ofEach((name, { label }) => [name, label]);

/** The name of each reason of a release in a list of them. */
export const releaseLabels: Readonly<Record<ReleaseReason, string>> = {
  closed: 'closed by itself',
  ...ofEach((_, { reason, releaseLabel }) => [reason, releaseLabel]),
  requested: 'on request',
  moved: 'moved to another process',
  unattached: 'never came',
  shutdown: 'server stops',
};

/** What a cleanup says of a manager it released, or would release. */
interface Chosen {
  readonly strategy: string;
  readonly idleMs: number;
  readonly silentMs: number;
  readonly limitMs: number | null;
  readonly finding?: string | null;
}

/** How many managers a cleanup released, or would release. It lists only the first of them. */
export function totalOf(byStrategy: Readonly<Record<string, number>>): number {
  return Object.values(byStrategy).reduce((sum, count) => sum + count, 0);
}

/** Why a cleanup releases a manager, or would. */
export function reasonOf(chosen: Chosen): string {
  const fields = new Fields({ type: 'chosen', ...chosen }, inert);
  return fields.in<Words>('strategy', byStrategy)?.(fields) ?? fields.text('strategy');
}

const as =
  (reason: Words): Words =>
  (f) =>
    `was released as ${reason(f)}`;

type Row = readonly [tone: Tone, words: Words];

const byReason = {
  closed: ['neutral', () => 'closed by itself'],
  ...ofEach<StrategyReason, Row>((_, row) => [row.reason, [row.tone, as(wordsOf(row))]]),
  requested: ['neutral', () => 'was released because an operator or the application asked'],
  unattached: ['warn', () => 'was released because its connection never came'],
  moved: ['neutral', () => 'was released because its thread goes on in another process'],
  shutdown: ['neutral', () => 'was released because the server stops'],
} as const satisfies Record<ReleaseReason, Row>;

const unknownReason: Row = ['neutral', (f) => `was released: ${f.text('reason')}`];

/** What became of a manager, what found it, and how long it had lasted; of a `manager.released`. */
export function released(fields: Fields): Sentence {
  const [tone, words] = fields.in<Row>('reason', byReason) ?? unknownReason;
  const age = fields.duration('ageMs');
  const lasted = fields.event['reason'] === 'closed' ? ` after ${age}` : `; it had lasted ${age}`;
  return { text: `${fields.thread} ${words(fields)}${releasedBy(fields)}${lasted}.`, tone };
}

function releasedBy(fields: Fields): string {
  if (fields.event['by'] === 'admission') return ', to make room for a newcomer';
  const finder = fields.in('by', releasers);
  return finder === undefined ? '' : `, found by ${finder}`;
}

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
