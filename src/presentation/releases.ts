import type { ReleasedBy, ReleaseReason } from '../core/vocabulary.js';
import { tell, type Fields, type Sentence, type Teller } from './fields.js';
import { duration } from './figures.js';

/** What a cleanup says of a manager it released, or would release. */
interface ChosenFigures {
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
export function reasonOf(chosen: ChosenFigures): string {
  const limit = chosen.limitMs === null ? '' : `, allowed ${duration(chosen.limitMs)}`;
  switch (chosen.strategy) {
    case 'disconnected':
      return deadReasonOf(chosen);
    case 'idle':
      return `abandoned: unused for ${duration(chosen.idleMs)}${limit}`;
    case 'error':
      return `failed: its error stands${limit}`;
    default:
      return `the one left alone longest: unused for ${duration(chosen.idleMs)}${limit}`;
  }
}

function deadReasonOf({ finding, silentMs, limitMs }: ChosenFigures): string {
  const silent = `silent for ${duration(silentMs)}`;
  if (finding === 'silent') return `suspect: no answer when asked, ${silent}`;
  if (finding === 'stuck')
    return `too slow: its unsent data did not move${limitMs === null ? '' : ` for ${duration(limitMs)}`}`;
  if (finding === 'overfull') return overfull;
  return `dead: ${finding === 'closed' ? deadHow.closed : ''}${silent}`;
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
