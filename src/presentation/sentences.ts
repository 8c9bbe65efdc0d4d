import type { CloseCause } from '../core/vocabulary.js';
import type { MooringEventName } from '../events/edge-events.js';
import { Fields, type Sentence, type Teller, type Told, type Tone, type Words } from './fields.js';
import { count, counted, duration, ofLimit, percent } from './figures.js';
import { inert } from './inert.js';
import { released, releasers } from './releases.js';

/** What the stream says of itself, between the events. */
type StreamNotice = 'stream.dropped' | 'stream.gap';

/** Sentences that have the same tone, by the type of the event. */
function inTone<Name extends string>(tone: Tone, sentences: Readonly<Record<Name, Words>>): Record<Name, Teller> {
  const tellers = Object.entries<Words>(sentences).map(([name, words]): [string, Teller] => [
    name,
    (fields) => ({ text: words(fields), tone }),
  ]);
  return Object.fromEntries(tellers) as Record<Name, Teller>;
}

const tellers = {
  ...inTone('good', {
    'manager.admitted': (f) =>
      `${f.thread} was admitted as number ${f.count('managerCount')}${f.when('waitedMs', (ms) => ` after waiting ${duration(ms)}`)}.`,
    'connection.opened': (f) => `${f.thread} opened its connection${again(f)}.`,
    'connection.resumed': (f) =>
      `The next connection of ${f.thread} took over after ${f.duration('awayMs')}${again(f)}.`,
    'leak.gone': (f) => `The ${f.text('what')} of ${f.thread} is gone after all.`,
  }),
  ...inTone('neutral', {
    'connection.replaced': (f) => `A newer connection of ${f.thread} took over${again(f)}.`,
    'connection.left': (f) =>
      `The connection of ${f.thread} ended. It is held, and waits ${f.duration('graceMs')} for the next connection.`,
    'admission.cancelled': (f) => `${f.thread} gave up after waiting ${f.duration('waitedMs')}.`,
    'admin.acted': (f) => `${f.text('who')} ran ${f.text('action')}${target(f)}: ${f.text('result')}.`,
    'server.stopped': (f) =>
      `The server has stopped; ${f.counted('released', 'manager was', 'managers were')} released.`,
  }),
  ...inTone('warn', {
    'hold.expired': (f) =>
      `A hold of ${f.thread} expired after ${f.duration('heldMs')}: it was neither ended nor renewed.`,
    'hold.forgotten': (f) =>
      `${f.thread} is held without activity for ${f.duration('idleMs')} (${f.counted('holds', 'hold')}): it may be released to make room now.`,
    'connection.neverAnswers': (f) =>
      `${f.thread} sends messages but answers no ping. Unless its client answers pings, it can be taken for dead.`,
    'heartbeat.missed': (f) => `${f.thread} missed ${f.counted('misses', 'heartbeat')} in a row.`,
    'admission.queued': (f) => `${f.thread} waits for a place, at number ${f.count('position')}.`,
    'process.stalled': (f) => `This process stood still for ${f.duration('stalledMs')}; no age counts that time.`,
    'attempts.uncounted': (f) => `Attempts to connect are not counted: ${f.text('reason')}.`,
    'socket.rejected': (f) => `A socket was refused with HTTP ${f.count('status')}: ${f.text('reason')}.`,
    'admin.refused': adminRefused,
    'viewer.missed': (f) => `A viewer reads too slowly and missed ${f.counted('events', 'event')}.`,
    'viewer.dropped': (f) =>
      `A viewer read nothing for a minute and was disconnected after ${f.duration('watchedMs')}.`,
    'server.draining': (f) => `The server is draining: ${f.counted('managers', 'manager')} to close.`,
  }),
  ...inTone('bad', {
    'admission.refused': refused,
    'cleanup.failed': (f) => `A pass of a cleanup failed, and the cleanup went on: ${f.text('error')}.`,
    'hook.failed': (f) => `A hook failed at the release of ${f.thread}: ${f.text('error')}.`,
    'listener.failed': (f) => `A listener of ${f.text('event')} failed: ${f.text('error')}.`,
    'limit.rejected': (f) => `Got ${f.text('got')} as a limit, which is not one; ${f.count('used')} was used.`,
    'idleTimeout.rejected': (f) => `${f.thread} came with ${f.text('got')} as its idle timeout, which is not one.`,
    'keepalive.failed': (f) =>
      `The function isKeepalive failed, and its messages count as activity: ${f.text('error')}.`,
    'ledger.failed': (f) => `The quota ledger failed: ${f.text('error')}.`,
    'ledger.mismatch': (f) =>
      `Another process that shares the quota allows ${f.count('theirs')} connections a user, this one ${f.count('ours')}.`,
    'claim.lost': (f) => `The quota ledger could not release the slot of ${f.thread}: it stays taken until it expires.`,
    'leak.found': (f) =>
      `The ${f.text('what')} of ${f.thread} is still there ${f.duration('releasedForMs')} after its release${admittedBy(f)}.`,
    'authentication.failed': (f) => `Authentication failed because of an error: ${f.text('error')}.`,
    'socket.unmanaged': (f) => `A socket that cannot be managed was closed: ${f.text('reason')}.`,
    'admin.failed': (f) => `The admin API failed at ${f.text('route')}: ${f.text('error')}.`,
    'stream.dropped': (f) => `${f.counted('count', 'event')} missed: this page read too slowly.`,
    'stream.gap': () => 'Events are missing: what happened while this page was disconnected is not kept any longer.',
  }),
  'manager.released': released,
  'connection.answeredLate': answeredLate,
  'level.changed': levelChanged,
  'ledger.changed': ledgerChanged,
  'cleanup.completed': (f) => cleaned(f, capitalised(f.in('trigger', releasers) ?? 'a cleanup')),
  'background.completed': cycled,
} as const satisfies Record<MooringEventName | StreamNotice, Teller>;

function again(fields: Fields): string {
  return fields.when('generation', (number) => (number > 1 ? `, the ${ordinal(number)} of the thread` : ''));
}

function ordinal(number: number): string {
  const isTeen = number % 100 > 10 && number % 100 < 14;
  return `${String(number)}${isTeen ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th')}`;
}

function target(fields: Fields): string {
  return fields.whenText('key', (key) => ` on ${key}`) || fields.whenText('userId', (userId) => ` on ${userId}`);
}

function admittedBy(fields: Fields): string {
  const { admittedBy: frames } = fields.event;
  if (!Array.isArray(frames) || frames.length === 0) return '';
  return `; admitted by ${frames.map((frame) => fields.show(String(frame))).join(' ← ')}`;
}

function adminRefused(fields: Fields): string {
  const who = fields.whenText('who', String) || 'somebody';
  const from = fields.whenText('address', (address) => ` from ${address}`);
  const request = fields.whenText('request', (text) => ` (${text})`);
  const more = fields.when('more', (others) => `, and ${counted(others, 'other')} within a minute`);
  return `The admin API turned ${who}${from} away with HTTP ${fields.text('status')}: ${fields.text('reason')}${request}${more}`;
}

const refusals = {
  quota: 'all places of the user are taken and in use',
  capacity: 'the server has no room',
  unavailable: 'the shared quota cannot be asked',
  contested: 'two clients fight for the same thread',
  slow: 'it took too long to find out',
  drain: 'the server is about to stop',
} as const satisfies Partial<Record<CloseCause, string>>;

function refused(fields: Fields): string {
  const waited = fields.when('waitedMs', (ms) => ` after ${duration(ms)} of waiting`);
  const retry = fields.when('retryAfterMs', (ms) => ` It was told to come back in ${duration(ms)}.`);
  return `${fields.thread} was refused${waited}: ${fields.in('closeCause', refusals) ?? fields.text('closeCause')}.${retry}`;
}

/** A connection that was released as dead, and answers, was released by mistake; a suspect was not. */
function answeredLate(fields: Fields): Sentence {
  const isMistake = fields.event['by'] === 'heartbeat';
  const releaser = fields.in('by', releasers) ?? 'Mooring';
  const text = `${fields.thread} answered after ${releaser} had released it as ${isMistake ? 'dead, which it was not' : 'a suspect'}.`;
  return { text, tone: isMistake ? 'bad' : 'warn' };
}

function ledgerChanged(fields: Fields): Sentence {
  const [state, reason] = [fields.text('state'), fields.whenText('reason', (text) => `: ${text}`)];
  const isUp = state === 'up';
  return {
    text: `The shared quota is ${state} after ${fields.duration('afterMs')}${isUp ? '' : reason}${reason.endsWith('.') ? '' : '.'}`,
    tone: isUp ? 'good' : state === 'down' ? 'bad' : 'warn',
  };
}

function levelChanged(fields: Fields): Sentence {
  const isRise = fields.event['direction'] === 'rise';
  const usage = `${fields.count('managerCount')} ${ofLimit(fields.number('maxManagers'))}`;
  const ratio = fields.number('usageRatio');
  const level = fields.text('level');
  return {
    text: `Usage ${isRise ? 'rose' : 'fell'} to ${level}, from ${fields.text('previous')}: ${usage}${ratio === null ? '' : ` (${percent(ratio)})`}.`,
    tone: !isRise ? 'good' : level === 'critical' || level === 'emergency' ? 'bad' : 'warn',
  };
}

/** A background cycle, and for how many users there was something to do. */
function cycled(fields: Fields): Sentence {
  const users = fields.number('users') ?? 0;
  if (users > 0) return cleaned(fields, `Background cycle: ${counted(users, 'user was', 'users were')} due; it`);
  return { text: `Background cycle: nobody was due. It took ${fields.duration('durationMs')}.`, tone: 'neutral' };
}

/** The result of a cleanup. @param what the subject of the sentence */
function cleaned(fields: Fields, what: string): Sentence {
  const number = fields.number('cleaned') ?? 0;
  const tally = tallied(fields.event['byStrategy']);
  const found = number === 0 ? 'found nobody to release' : `released ${count(number)}${tally && ` (${tally})`}`;
  const passes = fields.when('attempts', (attempts) => (attempts > 1 ? ` and ${count(attempts)} passes` : ''));
  const left = fields.when('remaining', (remaining) => `; ${count(remaining)} left`);
  const timedOut = fields.event['timedOut'] === true;
  return {
    text: `${what} ${found} in ${fields.duration('durationMs')}${passes}${left}${timedOut ? ', and ran out of time' : ''}.`,
    tone: timedOut ? 'bad' : number > 0 ? 'warn' : 'neutral',
  };
}

/** `2 disconnected, 1 idle`; empty without any. */
function tallied(tally: unknown): string {
  if (typeof tally !== 'object' || tally === null) return '';
  return Object.entries(tally)
    .filter(([, number]) => typeof number === 'number' && number > 0)
    .map(([strategy, number]) => `${String(number)} ${inert(strategy)}`)
    .join(', ');
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Fields of every event that lists of events show in columns of their own. */
const shownBeside = ['type', 'at', 'atMs', 'userId'];

/** The types that have a sentence. */
export const knownTypes: readonly string[] = Object.keys(tellers).sort();

/**
 * An event in plain words. An event of a type without a sentence is shown with its fields.
 * @param show makes text from elsewhere safe to show @default {@link inert}
 */
export function sentenceOf(told: Told, show = inert): Sentence {
  const fields = new Fields(told, show);
  const teller: Teller | undefined = fields.in<Teller>('type', tellers);
  if (teller !== undefined) return teller(fields);
  const others = Object.entries(told).filter(([name]) => !shownBeside.includes(name));
  const text = `${inert(told.type)} ${inert(JSON.stringify(Object.fromEntries(others)))}`;
  return { text, tone: 'neutral' };
}
