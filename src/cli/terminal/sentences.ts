import type { z } from 'zod';
import type { chosenSchema } from '../../admin/schemas.js';
import type { ReleasedBy, ReleaseReason } from '../../core/vocabulary.js';
import { inert } from '../../presentation/inert.js';
import { spanOf } from './spans.js';

/** Somebody a cleanup chose. */
type ChosenView = z.output<typeof chosenSchema>;

/** An event, or an entry of a journal, as it comes over the wire. */
export type Said = Readonly<Record<string, unknown>> & { readonly type: string };

/** The figures behind a release. */
interface Figures {
  readonly reason: string;
  readonly idleMs: number;
  readonly silentMs: number;
  readonly limitMs: number | null;
  /** What showed that it was dead, or a suspect. */
  readonly finding?: unknown;
  /** Who found it, where it was released. */
  readonly by?: unknown;
}

/** Why somebody goes, with the figures that decide it: `idle for 12 m, 10 m allowed`. */
export function whyOf(figures: Figures): string {
  const { reason, idleMs, limitMs } = figures;
  const allowed = limitMs === null ? '' : `, ${spanOf(limitMs)} allowed`;
  if (reason === 'idle') return `idle for ${spanOf(idleMs)}${allowed}`;
  if (reason === 'evicted') return `idle for ${spanOf(idleMs)}, the longest of those not in use`;
  if (reason === 'error') return limitMs === null ? 'failed' : `its error stood for longer than ${spanOf(limitMs)}`;
  if (reason === 'disconnected') return whyGone(figures);
  return ownOf(otherReasons, reason) ?? inert(reason);
}

/** Why a connection went that did not close itself: it was not open, its data was stuck, or it was silent. */
function whyGone({ silentMs, limitMs, finding, by }: Figures): string {
  if (finding === 'stuck') return `its unsent data did not move${limitMs === null ? '' : ` for ${spanOf(limitMs)}`}`;
  if (finding === 'overfull') return 'more unsent data waited for it than maxUnsentBytes allows';
  const silent = `silent for ${spanOf(silentMs)}`;
  if (finding === 'closed') return `found closed, ${silent}`;
  if (finding !== 'silent') return silent;
  return by === 'heartbeat' ? `heartbeats unanswered, ${silent}` : `a suspect, no answer when asked, ${silent}`;
}

/** What a table has for this, and not what every object has. */
function ownOf<T>(table: Readonly<Record<string, T>>, name: unknown): T | undefined {
  return typeof name === 'string' && Object.hasOwn(table, name) ? table[name] : undefined;
}

const otherReasons: Readonly<Record<Exclude<ReleaseReason, 'idle' | 'evicted' | 'error' | 'disconnected'>, string>> = {
  closed: 'its connection closed',
  requested: 'an operator or the application asked for it',
  unattached: 'a place was granted, and no connection came for it',
  shutdown: 'the server stopped',
};

/** An event in plain words, without its time and user; one that is not known, as its fields. */
export function sentenceOf(event: Said): string {
  const make = ownOf(sentences, event.type);
  const sentence = make === undefined ? fieldsOf(event) : make(event);
  const thread = event['threadId'];
  return inert(typeof thread === 'string' ? `${thread}  ${sentence}` : sentence);
}

const text = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined ? 'nothing' : JSON.stringify(value);
const ofLimit = (limit: unknown): string => (limit === null ? '(no limit)' : `of ${text(limit)}`);
const span = (value: unknown): string => spanOf(Number(value));

const sentences: Readonly<Record<string, (event: Said) => string>> = {
  'manager.admitted': ({ managerCount, waitedMs }) =>
    `admitted as number ${text(managerCount)}${Number(waitedMs) > 0 ? ` after waiting ${span(waitedMs)}` : ''}`,
  'manager.released': (event) => `disconnected: ${releasedBecause(event)}`,
  'connection.opened': () => 'connected',
  'connection.replaced': () => 'a newer connection of the same thread took over',
  'connection.left': ({ graceMs }) =>
    `its connection ended; held, it waits ${span(graceMs)} for the next connection of its thread`,
  'connection.resumed': ({ awayMs }) => `the next connection of the thread took over, after ${span(awayMs)}`,
  'hold.expired': ({ heldMs }) => `a hold expired after ${span(heldMs)}: it was neither ended nor renewed`,
  'hold.forgotten': ({ holds, idleMs }) =>
    `held by ${text(holds)} ${Number(holds) === 1 ? 'hold' : 'holds'} without activity for ${span(idleMs)}: it may make room now`,
  'connection.answeredLate': ({ by }) => `answered after ${ownOf(releasedAs, by) ?? 'it was released as a suspect'}`,
  'connection.neverAnswers': () => 'talks, and answers no ping: it must, or it can be taken for dead',
  'heartbeat.missed': ({ misses }) => `heartbeat unanswered, ${text(misses)} in a row`,
  'admission.queued': ({ position }) => `all places in use; waits as number ${text(position)}`,
  'admission.refused': (event) => `refused: ${text(event['closeCause'])}${refusedHow(event)}`,
  'admission.cancelled': ({ waitedMs }) => `gave up after waiting ${span(waitedMs)}`,
  'level.changed': ({ level, previous, managerCount, maxManagers }) =>
    `level ${text(previous)} → ${text(level)}, ${text(managerCount)} ${ofLimit(maxManagers)} in use`,
  'cleanup.completed': ({ trigger, cleaned, remaining, durationMs, timedOut, attempts }) =>
    `cleanup (${text(trigger)}): ${text(cleaned)} released, ${text(remaining)} left, in ${span(durationMs)}${Number(attempts) > 1 ? ` and ${text(attempts)} passes` : ''}${timedOut === true ? ', out of time' : ''}`,
  'cleanup.failed': ({ error }) => `cleanup failed: ${text(error)}`,
  'admin.acted': ({ who, action, key, result }) =>
    `${text(who)} asked for ${text(action)}${typeof key === 'string' ? ` of ${threadOf(key)}` : ''}: ${text(result)}`,
};

const releasedAs: Readonly<Record<string, string>> = {
  heartbeat: 'it was released as dead: it was not dead',
  admission: 'it had given its place to a newcomer',
};

/** The thread of an isolation key. The user in front has no colon: it is written as `%3A`. */
const threadOf = (key: string): string => key.slice(key.indexOf(':') + 1);

const finders: Readonly<Record<ReleasedBy, string>> = {
  heartbeat: 'the heartbeat',
  background: 'the background cleanup',
  level: 'the cleanup of its level',
  admission: 'the cleanup for a newcomer',
  request: 'a cleanup somebody asked for',
};

/** Why a manager was released, who found it, and how long it lasted; of a `manager.released`. */
export function releasedBecause(event: Said): string {
  const { reason, by, idleMs, silentMs, limitMs, finding, ageMs } = event;
  const limit = typeof limitMs === 'number' ? limitMs : null;
  const figures = { idleMs: Number(idleMs), silentMs: Number(silentMs), limitMs: limit, finding, by };
  const why = whyOf({ reason: text(reason), ...figures });
  const whom = by === 'admission' && hasMadeRoom(reason, finding, limit) ? 'made room for a newcomer: ' : '';
  const finder = ownOf(finders, by);
  return `${whom}${why} (${finder === undefined ? '' : `found by ${finder}; `}it lasted ${span(ageMs)})`;
}

/** Whether it went one for one, for a newcomer: not one that was dead, idle or failed already. */
function hasMadeRoom(reason: unknown, finding: unknown, limitMs: number | null): boolean {
  if (reason === 'evicted') return true;
  return reason === 'disconnected' && (finding === 'silent' || (finding === 'stuck' && limitMs !== null));
}

function refusedHow({ retryAfterMs, waitedMs }: Said): string {
  const waited = Number(waitedMs) > 0 ? ` after waiting ${span(waitedMs)}` : '';
  return typeof retryAfterMs === 'number' ? `${waited}, to come back after ${span(retryAfterMs)}` : waited;
}

function fieldsOf(event: Said): string {
  const told = ['type', 'at', 'atMs', 'userId', 'threadId', 'key'];
  return Object.entries(event)
    .filter(([name]) => !told.includes(name))
    .map(([name, value]) => `${name}=${text(value)}`)
    .join(' ');
}
