import { count, counted, duration, ofLimit, percent, shown, shownWithin } from './format.js';
import { deadHow, overfull } from './reasons.js';

/** An event of the stream or an entry of a journal: its fields depend on its type. */
export type Told = Readonly<Record<string, unknown>> & { readonly type: string };

/** How a sentence is meant: for the colour beside it. */
export type Tone = 'good' | 'neutral' | 'warn' | 'bad';

/** An event in plain words. */
export interface Sentence {
  readonly text: string;
  readonly tone: Tone;
}

/** Reads fields of an event nobody vouches for. Texts come out with everything invisible made visible. */
class Fields {
  constructor(readonly told: Told) {}

  text(name: string): string {
    const value = this.told[name];
    return typeof value === 'string'
      ? shownWithin(value)
      : value === undefined
        ? '?'
        : shownWithin(JSON.stringify(value));
  }

  isText(name: string): boolean {
    return typeof this.told[name] === 'string';
  }

  number(name: string): number | null {
    const value = this.told[name];
    return typeof value === 'number' ? value : null;
  }

  count(name: string): string {
    const value = this.number(name);
    return value === null ? '?' : count(value);
  }

  duration(name: string): string {
    return duration(this.number(name));
  }

  /** The words where the field is a number above zero. */
  when(name: string, words: (value: number) => string): string {
    const value = this.number(name);
    return value === null || value <= 0 ? '' : words(value);
  }

  is(name: string): boolean {
    return this.told[name] === true;
  }

  list(name: string): string {
    const value = this.told[name];
    return Array.isArray(value) ? value.map((one) => shownWithin(String(one))).join(' ← ') : '';
  }
}

type Teller = (fields: Fields) => Sentence;

const tell =
  (tone: Tone, words: (fields: Fields) => string): Teller =>
  (fields) => ({ text: words(fields), tone });

const foundBy: Readonly<Record<string, string>> = {
  background: ', found by the background cleanup',
  level: ', found by a cleanup because the quota filled up',
  admission: ', found to make room for a newcomer',
  request: ', by a cleanup that was asked for',
  heartbeat: ', found by the heartbeat',
};

const causes: Readonly<Record<string, string>> = {
  background: 'Background cleanup',
  level: 'Cleanup because the quota filled up',
  admission: 'Emergency cleanup for a newcomer',
  request: 'Cleanup that was asked for',
};

const refusals: Readonly<Record<string, string>> = {
  quota: 'all places of the user are taken and in use',
  capacity: 'the server has no room',
  contested: 'two clients fight for the same thread',
  slow: 'it took too long to find out',
  drain: 'the server is about to stop',
};

/** What came of a manager, by the reason of its release. */
const releases: Readonly<Record<string, Teller>> = {
  closed: tell('neutral', (f) => `closed by itself after ${f.duration('ageMs')}`),
  disconnected: gone,
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
};

/** It was not open, left pings unanswered, or took nothing of what waited for it; some made room for a newcomer. */
function gone(fields: Fields): Sentence {
  const silent = `silent for ${fields.duration('silentMs')}`;
  const finding = fields.text('finding');
  const by = fields.text('by');
  if (finding === 'stuck') return stuck(fields);
  if (finding === 'overfull') return { text: `was released as ${overfull}`, tone: 'warn' };
  if (finding !== 'silent' || by === 'heartbeat')
    return { text: `was released as dead: ${deadHow[finding] ?? ''}${silent}`, tone: 'warn' };
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

function released(fields: Fields): Sentence {
  const reason = fields.text('reason');
  const { text, tone } = releases[reason]?.(fields) ?? { text: `was released: ${reason}`, tone: 'neutral' };
  return { text: `${fields.text('threadId')} ${text}${foundBy[fields.text('by')] ?? ''}.`, tone };
}

/** `2 disconnected, 1 idle`; empty without any. */
function tallied(tally: unknown): string {
  if (typeof tally !== 'object' || tally === null) return '';
  return Object.entries(tally)
    .filter(([, released]) => typeof released === 'number' && released > 0)
    .map(([strategy, released]) => `${String(released)} ${shown(strategy)}`)
    .join(', ');
}

function cleaned(fields: Fields, what: string): Sentence {
  const number = fields.number('cleaned') ?? 0;
  const tally = tallied(fields.told['byStrategy']);
  const found = number === 0 ? 'found nobody to release' : `released ${count(number)}${tally && ` (${tally})`}`;
  const end = fields.is('timedOut') ? ', and ran out of time' : '';
  return {
    text: `${what} ${found} in ${fields.duration('durationMs')}${fields.when('remaining', (left) => `; ${count(left)} left`)}${end}.`,
    tone: fields.is('timedOut') ? 'bad' : number > 0 ? 'warn' : 'neutral',
  };
}

/** Users are counted who had something due, of however many there are. */
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
  const cause = fields.text('closeCause');
  const waited = fields.when('waitedMs', (ms) => ` after ${duration(ms)} of waiting`);
  const retry = fields.when('retryAfterMs', (ms) => ` It was told to come back in ${duration(ms)}.`);
  return { text: `${fields.text('threadId')} was refused${waited}: ${refusals[cause] ?? cause}.${retry}`, tone: 'bad' };
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
  const whom = typeof on === 'string' ? ` on ${shownWithin(on)}` : '';
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
  const by = fields.text('by');
  const after = releasedAs[by] ?? 'it was released as a suspect';
  return { text: `${fields.text('threadId')} answered after ${after}.`, tone: by === 'heartbeat' ? 'bad' : 'warn' };
}

const releasedAs: Readonly<Record<string, string>> = {
  heartbeat: 'it was released as dead: it was not',
  admission: 'it had given its place to a newcomer',
};

const tellers: Readonly<Record<string, Teller>> = {
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
  'cleanup.completed': (f) => cleaned(f, causes[f.text('trigger')] ?? 'Cleanup'),
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
};

function again(fields: Fields): string {
  return fields.when('generation', (number) => (number > 1 ? `, the ${ordinal(number)} of the thread` : ''));
}

function ordinal(number: number): string {
  const isTeen = number % 100 > 10 && number % 100 < 14;
  return `${number}${isTeen ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th')}`;
}

/** The types there are sentences for. */
export const knownTypes: readonly string[] = Object.keys(tellers);

/** An event in plain words. One that is not known is told with its fields. */
export function sentenceOf(told: Told): Sentence {
  const teller = Object.hasOwn(tellers, told.type) ? tellers[told.type] : undefined;
  if (teller !== undefined) return teller(new Fields(told));
  const { type, ...rest } = told;
  return { text: `${shown(type)} ${shown(JSON.stringify(rest))}`, tone: 'neutral' };
}
