import type { MooringEventName } from '../core/event-table.js';
import type { CleanupTrigger, CloseCause } from '../core/vocabulary.js';
import type { edgeEvents } from '../events/edge-events.js';
import { Fields, tell, type Sentence, type Teller, type Told } from './fields.js';
import { count, counted, duration, ofLimit, percent } from './figures.js';
import { inert } from './inert.js';
import { released } from './releases.js';

const causes = {
  background: 'Background cleanup',
  level: 'Cleanup because the quota filled up',
  admission: 'Emergency cleanup for a newcomer',
  request: 'Cleanup that was asked for',
} as const satisfies Record<CleanupTrigger, string>;

const refusals = {
  quota: 'all places of the user are taken and in use',
  capacity: 'the server has no room',
  contested: 'two clients fight for the same thread',
  slow: 'it took too long to find out',
  drain: 'the server is about to stop',
} as const satisfies Partial<Record<CloseCause, string>>;

/** `2 disconnected, 1 idle`; empty without any. */
function tallied(tally: unknown): string {
  if (typeof tally !== 'object' || tally === null) return '';
  return Object.entries(tally)
    .filter(([, released]) => typeof released === 'number' && released > 0)
    .map(([strategy, released]) => `${String(released)} ${inert(strategy)}`)
    .join(', ');
}

function cleaned(fields: Fields, what: string): Sentence {
  const number = fields.number('cleaned') ?? 0;
  const tally = tallied(fields.told['byStrategy']);
  const found = number === 0 ? 'found nobody to release' : `released ${count(number)}${tally && ` (${tally})`}`;
  const passes = fields.when('attempts', (number) => (number > 1 ? ` and ${count(number)} passes` : ''));
  const end = fields.is('timedOut') ? ', and ran out of time' : '';
  return {
    text: `${what} ${found} in ${fields.duration('durationMs')}${passes}${fields.when('remaining', (left) => `; ${count(left)} left`)}${end}.`,
    tone: fields.is('timedOut') ? 'bad' : number > 0 ? 'warn' : 'neutral',
  };
}

/** The users that had something due. */
function cycled(fields: Fields): Sentence {
  const users = fields.number('users') ?? 0;
  if (users > 0) return cleaned(fields, `Background cycle: ${counted(users, 'user was', 'users were')} due; it`);
  return { text: `Background cycle: nobody was due. It took ${fields.duration('durationMs')}.`, tone: 'neutral' };
}

function levelChanged(fields: Fields): Sentence {
  const isRise = fields.told['direction'] === 'rise';
  const usage = `${fields.count('managerCount')} ${ofLimit(fields.number('maxManagers'))}`;
  const ratio = fields.number('usageRatio');
  const level = fields.text('level');
  return {
    text: `Usage ${isRise ? 'rose' : 'fell'} to ${level}, from ${fields.text('previous')}: ${usage}${ratio === null ? '' : ` (${percent(ratio)})`}.`,
    tone: !isRise ? 'good' : level === 'critical' || level === 'emergency' ? 'bad' : 'warn',
  };
}

function refused(fields: Fields): Sentence {
  const waited = fields.when('waitedMs', (ms) => ` after ${duration(ms)} of waiting`);
  const retry = fields.when('retryAfterMs', (ms) => ` It was told to come back in ${duration(ms)}.`);
  return {
    text: `${fields.text('threadId')} was refused${waited}: ${fields.in('closeCause', refusals) ?? fields.text('closeCause')}.${retry}`,
    tone: 'bad',
  };
}

function leaked(fields: Fields): Sentence {
  const by = fields.list('admittedBy');
  return {
    text: `The ${fields.text('what')} of ${fields.text('threadId')} is still there, ${fields.duration('releasedForMs')} after its release${by && `; admitted by ${by}`}.`,
    tone: 'bad',
  };
}

function acted(fields: Fields): Sentence {
  const on = fields.told['key'] ?? fields.told['userId'];
  const whom = typeof on === 'string' ? ` on ${fields.show(on)}` : '';
  return {
    text: `${fields.text('who')} ran ${fields.text('action')}${whom}: ${fields.text('result')}.`,
    tone: 'neutral',
  };
}

function turnedAway(fields: Fields): Sentence {
  const who = fields.isText('who') ? fields.text('who') : 'somebody';
  const from = fields.isText('address') ? ` from ${fields.text('address')}` : '';
  const request = fields.isText('request') ? ` (${fields.text('request')})` : '';
  const more = fields.when('more', (others) => `, and ${counted(others, 'other')} within a minute`);
  const text = `The admin API turned ${who}${from} away with HTTP ${fields.text('status')}: ${fields.text('reason')}${request}${more}`;
  return { text, tone: 'warn' };
}

/** A dead connection that answers is a false kill; a suspect that does is not. */
function answeredLate(fields: Fields): Sentence {
  const after = fields.in('by', releasedAs) ?? 'it was released as a suspect';
  return {
    text: `${fields.text('threadId')} answered after ${after}.`,
    tone: fields.text('by') === 'heartbeat' ? 'bad' : 'warn',
  };
}

const releasedAs = {
  heartbeat: 'it was released as dead: it was not',
  admission: 'it had given its place to a newcomer',
} as const;

/** What the stream says of itself, between the events. */
type StreamNotice = 'stream.dropped' | 'stream.gap';

const tellers = {
  'manager.admitted': tell(
    'good',
    (f) =>
      `${f.text('threadId')} was admitted as number ${f.count('managerCount')}${f.when('waitedMs', (ms) => ` after waiting ${duration(ms)}`)}.`,
  ),
  'manager.released': released,
  'connection.opened': tell('good', (f) => `${f.text('threadId')} opened its connection${again(f)}.`),
  'connection.replaced': tell('neutral', (f) => `A newer connection of ${f.text('threadId')} took over${again(f)}.`),
  'connection.left': tell(
    'neutral',
    (f) =>
      `The connection of ${f.text('threadId')} ended; held, it waits ${f.duration('graceMs')} for the next one of its thread.`,
  ),
  'connection.resumed': tell(
    'good',
    (f) => `The next connection of ${f.text('threadId')} took over after ${f.duration('awayMs')}${again(f)}.`,
  ),
  'hold.expired': tell(
    'warn',
    (f) => `A hold of ${f.text('threadId')} expired after ${f.duration('heldMs')}: it was neither ended nor renewed.`,
  ),
  'hold.forgotten': tell(
    'warn',
    (f) =>
      `${f.text('threadId')} is held without activity for ${f.duration('idleMs')} (${counted(f.number('holds') ?? 1, 'hold')}): it may make room now.`,
  ),
  'connection.answeredLate': answeredLate,
  'connection.neverAnswers': tell(
    'warn',
    (f) => `${f.text('threadId')} talks and answers no ping: its client must, or it can be taken for dead.`,
  ),
  'heartbeat.missed': tell(
    'warn',
    (f) => `${f.text('threadId')} missed ${counted(f.number('misses') ?? 1, 'heartbeat')} in a row.`,
  ),
  'admission.queued': tell('warn', (f) => `${f.text('threadId')} waits for a place, at number ${f.count('position')}.`),
  'admission.refused': refused,
  'admission.cancelled': tell(
    'neutral',
    (f) => `${f.text('threadId')} gave up after waiting ${f.duration('waitedMs')}.`,
  ),
  'level.changed': levelChanged,
  'cleanup.completed': (f) => cleaned(f, f.in('trigger', causes) ?? 'Cleanup'),
  'cleanup.failed': tell('bad', (f) => `A pass of a cleanup failed, and the cleanup went on: ${f.text('error')}.`),
  'background.completed': cycled,
  'hook.failed': tell('bad', (f) => `A hook failed at the release of ${f.text('threadId')}: ${f.text('error')}.`),
  'listener.failed': tell('bad', (f) => `A listener of ${f.text('event')} failed: ${f.text('error')}.`),
  'limit.rejected': tell(
    'bad',
    (f) => `A limit was given as ${f.text('got')}, which is no limit; ${f.count('used')} was used.`,
  ),
  'idleTimeout.rejected': tell(
    'bad',
    (f) => `${f.text('threadId')} came with an idle timeout that is none: got ${f.text('got')}.`,
  ),
  'keepalive.failed': tell(
    'bad',
    (f) => `The function isKeepalive failed, and its messages count as activity: ${f.text('error')}.`,
  ),
  'ledger.failed': tell('bad', (f) => `The quota ledger failed: ${f.text('error')}.`),
  'claim.lost': tell('bad', (f) => `The ledger did not take back the place of ${f.text('threadId')}; it was given up.`),
  'leak.found': leaked,
  'leak.gone': tell('good', (f) => `The ${f.text('what')} of ${f.text('threadId')} is gone after all.`),
  'process.stalled': tell(
    'warn',
    (f) => `This process stood still for ${f.duration('stalledMs')}; no age counts that time.`,
  ),
  'authentication.failed': tell('bad', (f) => `Authentication failed by itself: ${f.text('error')}.`),
  'attempts.uncounted': tell('warn', (f) => `Attempts to connect are not counted: ${f.text('reason')}.`),
  'socket.rejected': tell(
    'warn',
    (f) => `A socket was turned away with HTTP ${f.count('status')}: ${f.text('reason')}.`,
  ),
  'socket.unmanaged': tell('bad', (f) => `A socket that cannot be managed was closed: ${f.text('reason')}.`),
  'admin.acted': acted,
  'admin.refused': turnedAway,
  'admin.failed': tell('bad', (f) => `The admin API failed at ${f.text('route')}: ${f.text('error')}.`),
  'viewer.missed': tell(
    'warn',
    (f) => `A viewer reads too slowly and missed ${counted(f.number('events') ?? 0, 'event')}.`,
  ),
  'viewer.dropped': tell(
    'warn',
    (f) => `A viewer took nothing for a minute and was dropped after ${f.duration('watchedMs')}.`,
  ),
  'server.draining': tell(
    'warn',
    (f) => `The server is draining: ${counted(f.number('managers') ?? 0, 'manager')} to close.`,
  ),
  'server.stopped': tell('neutral', (f) => `The server has stopped; ${f.count('released')} were released.`),
  'stream.dropped': tell(
    'bad',
    (f) => `${counted(f.number('count') ?? 0, 'event')} missed: this page read too slowly.`,
  ),
  'stream.gap': tell('bad', () => 'A gap: what happened while this page was cut off is not known any longer.'),
} as const satisfies Record<MooringEventName | keyof typeof edgeEvents | StreamNotice, Teller>;

function again(fields: Fields): string {
  return fields.when('generation', (number) => (number > 1 ? `, the ${ordinal(number)} of the thread` : ''));
}

function ordinal(number: number): string {
  const isTeen = number % 100 > 10 && number % 100 < 14;
  return `${String(number)}${isTeen ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th')}`;
}

/** Fields of every event that lists of events show in columns of their own. */
const shownBeside = ['type', 'at', 'atMs', 'userId'];

/** The types that have a sentence. */
export const knownTypes: readonly string[] = Object.keys(tellers);

/**
 * An event in plain words. An event of a type without a sentence is shown with its fields.
 * @param show makes text from elsewhere safe to show @default {@link inert}
 */
export function sentenceOf(told: Told, show = inert): Sentence {
  const fields = new Fields(told, show);
  const teller: Teller | undefined = fields.in('type', tellers);
  if (teller !== undefined) return teller(fields);
  const others = Object.entries(told).filter(([name]) => !shownBeside.includes(name));
  const text = `${inert(told.type)} ${inert(JSON.stringify(Object.fromEntries(others)))}`;
  return { text, tone: 'neutral' };
}
