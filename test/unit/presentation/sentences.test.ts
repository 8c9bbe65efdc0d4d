import { describe, expect, it } from 'vitest';
import { shown, shownWithin } from '../../../dashboard/src/format.js';
import { releaseReasons } from '../../../src/core/vocabulary.js';
import { eventNames } from '../../../src/events/edge-events.js';
import type { Told } from '../../../src/presentation/fields.js';
import { bytes, count, counted, duration, percent, timeOf } from '../../../src/presentation/figures.js';
import { outlookOf, reasonOf } from '../../../src/presentation/releases.js';
import { knownTypes, sentenceOf } from '../../../src/presentation/sentences.js';
import { tallyOf } from '../../support/tally.js';

const who = { userId: 'ada', threadId: 'thread_1', key: 'ada:thread_1' };
const release = { ...who, type: 'manager.released', ageMs: 192_000, idleMs: 720_000, silentMs: 92_000 };
const none = tallyOf();
const turnedAway = { type: 'admin.refused', status: 403, reason: 'No.' };
const cleanup = { type: 'cleanup.completed', durationMs: 4_500, remaining: 15, attempts: 1, timedOut: false };

describe('a sentence', () => {
  it('is there for every event', () => {
    expect(knownTypes.filter((type) => !type.startsWith('stream.')).toSorted()).toEqual(eventNames.toSorted());
  });

  it.each<[string, Told]>([
    ['thread_1 was admitted as number 5.', { type: 'manager.admitted', ...who, managerCount: 5, waitedMs: 0 }],
    [
      'thread_1 was admitted as number 20 after waiting 1.2 s.',
      { type: 'manager.admitted', ...who, managerCount: 20, waitedMs: 1_200 },
    ],
    ['thread_1 closed by itself after 3 min 12 s.', { ...release, reason: 'closed', by: null, limitMs: null }],
    [
      'thread_1 was released as dead: silent for 1 min 32 s, found by the heartbeat; it had lasted 3 min 12 s.',
      { ...release, reason: 'disconnected', by: 'heartbeat', limitMs: null },
    ],
    [
      'thread_1 was released as dead: no answer to heartbeats, silent for 1 min 32 s, found by the heartbeat; it had lasted 3 min 12 s.',
      { ...release, reason: 'disconnected', by: 'heartbeat', finding: 'silent', limitMs: null },
    ],
    [
      'thread_1 was released as a suspect: no answer when asked, silent for 1 min 32 s, to make room for a newcomer; it had lasted 3 min 12 s.',
      { ...release, reason: 'disconnected', by: 'admission', finding: 'silent', limitMs: null },
    ],
    [
      'thread_1 was released as a suspect: no answer when asked, silent for 1 min 32 s, found by a requested cleanup; it had lasted 3 min 12 s.',
      { ...release, reason: 'disconnected', by: 'request', finding: 'silent', limitMs: null },
    ],
    [
      'thread_1 was released as too slow: its unsent data did not move for 10 s, to make room for a newcomer; it had lasted 3 min 12 s.',
      { ...release, reason: 'disconnected', by: 'admission', finding: 'stuck', closeCause: 'slow', limitMs: 10_000 },
    ],
    [
      'thread_1 was released as too slow: its unsent data did not move, to make room for a newcomer; it had lasted 3 min 12 s.',
      { ...release, reason: 'disconnected', by: 'admission', finding: 'stuck', closeCause: 'slow', limitMs: null },
    ],
    [
      'thread_1 was released as too slow: its unsent data did not move, found by the heartbeat; it had lasted 3 min 12 s.',
      { ...release, reason: 'disconnected', by: 'heartbeat', finding: 'stuck', closeCause: 'slow', limitMs: null },
    ],
    [
      'thread_1 was released as too slow: more unsent data waited for it than maxUnsentBytes allows; it had lasted 3 min 12 s.',
      { ...release, reason: 'disconnected', by: null, finding: 'overfull', closeCause: 'slow', limitMs: null },
    ],
    [
      'thread_1 answered after the heartbeat had released it as dead, which it was not.',
      { type: 'connection.answeredLate', ...who, by: 'heartbeat' },
    ],
    [
      'thread_1 answered after an emergency cleanup for a newcomer had released it as a suspect.',
      { type: 'connection.answeredLate', ...who, by: 'admission' },
    ],
    [
      'thread_1 answered after a requested cleanup had released it as a suspect.',
      { type: 'connection.answeredLate', ...who, by: 'request' },
    ],
    [
      'thread_1 was released as abandoned: unused for 12 min, more than the 10 min allowed, found by the background cleanup; it had lasted 3 min 12 s.',
      { ...release, reason: 'idle', by: 'background', limitMs: 600_000 },
    ],
    [
      'thread_1 was released as the one left alone longest: unused for 12 min, more than the 1 min allowed, to make room for a newcomer; it had lasted 3 min 12 s.',
      { ...release, reason: 'evicted', by: 'admission', limitMs: 60_000 },
    ],
    [
      'thread_1 was released as the one left alone longest: unused for 12 min, more than the 1 min allowed, found by a requested cleanup; it had lasted 3 min 12 s.',
      { ...release, reason: 'evicted', by: 'request', limitMs: 60_000 },
    ],
    [
      'The admin API turned grafana from 10.0.0.1 away with HTTP 403: No. (DELETE /x), and 19 others within a minute',
      { ...turnedAway, who: 'grafana', request: 'DELETE /x', address: '10.0.0.1', more: 19 },
    ],
    [
      'The admin API turned somebody away with HTTP 401: No.',
      { ...turnedAway, status: 401, who: null, address: null, more: 0 },
    ],
    [
      'Usage rose to critical, from warning: 17 of 20 (85 %).',
      {
        ...{ type: 'level.changed', level: 'critical', previous: 'warning', direction: 'rise' },
        ...{ managerCount: 17, maxManagers: 20, usageRatio: 0.85 },
      },
    ],
    [
      'thread_1 was refused after 8 s of waiting: all places of the user are taken and in use. It was told to come back in 30 s.',
      { type: 'admission.refused', ...who, closeCause: 'quota', waitedMs: 8_000, retryAfterMs: 30_000 },
    ],
    [
      'A requested cleanup released 4 (3 disconnected, 1 idle) in 4.5 s; 15 left.',
      { ...cleanup, trigger: 'request', cleaned: 4, byStrategy: { ...none, disconnected: 3, idle: 1 } },
    ],
    [
      'A requested cleanup released 1 (1 idle) in 4.5 s and 3 passes; 15 left.',
      { ...cleanup, attempts: 3, trigger: 'request', cleaned: 1, byStrategy: { ...none, idle: 1 } },
    ],
    [
      'An emergency cleanup for a newcomer found nobody to release in 4.5 s; 15 left, and ran out of time.',
      { ...cleanup, trigger: 'admission', cleaned: 0, byStrategy: none, timedOut: true },
    ],
    [
      'Background cycle: nobody was due. It took 3 ms.',
      { type: 'background.completed', cleaned: 0, users: 0, byStrategy: none, errors: 0, durationMs: 3 },
    ],
    [
      'Background cycle: 1 user was due; it found nobody to release in 3 ms.',
      { type: 'background.completed', cleaned: 0, users: 1, byStrategy: none, errors: 0, durationMs: 3 },
    ],
    [
      'Background cycle: 2 users were due; it released 4 (4 idle) in 3 ms.',
      {
        ...{ type: 'background.completed', cleaned: 4, users: 2, errors: 0, durationMs: 3 },
        byStrategy: { ...none, idle: 4 },
      },
    ],
    ['thread_1 missed 2 heartbeats in a row.', { type: 'heartbeat.missed', ...who, misses: 2 }],
    [
      'A newer connection of thread_1 took over, the 3rd of the thread.',
      { type: 'connection.replaced', ...who, generation: 3 },
    ],
    [
      'ops ran cleanup on ada: 3 released, 6 left.',
      { type: 'admin.acted', who: 'ops', action: 'cleanup', userId: 'ada', key: null, result: '3 released, 6 left' },
    ],
    ['37 events missed: this page read too slowly.', { type: 'stream.dropped', count: 37 }],
  ])('says: %s', (text, told) => {
    expect(sentenceOf(told).text).toBe(text);
  });

  it('is there for every reason of a release', () => {
    for (const reason of Object.keys(releaseReasons))
      expect(sentenceOf({ ...release, reason, by: null, limitMs: null }).text).not.toContain(`released: ${reason}`);
  });

  it.each(Object.keys(releaseReasons))('of a release by the reason %s tells how long it had lasted', (reason) => {
    expect(sentenceOf({ ...release, reason, by: null, limitMs: null }).text).toContain(' 3 min 12 s.');
  });

  it.each(knownTypes)('of %s comes out whatever its fields are', (type) => {
    for (const told of [{ type }, { type, threadId: 7, cleaned: 'x', byStrategy: null, error: { a: 1 }, status: null }])
      expect(sentenceOf(told).text).not.toMatch(/undefined|NaN|\[object/);
  });

  it('of an unknown event tells its fields, also of one with a name of Object', () => {
    expect(sentenceOf({ type: 'new.thing', a: 1 }).text).toBe('new.thing {"a":1}');
    expect(sentenceOf({ type: 'constructor' }).text).toBe('constructor {}');
  });

  it('of an unknown event leaves out its time and its user, which are shown beside it', () => {
    const told = { type: 'new.thing', at: '2026-11-25T00:00:00.000Z', atMs: 0, userId: 'ada', a: '\u202e' };
    expect(sentenceOf(told).text).toBe(String.raw`new.thing {"a":"\u202e"}`);
  });

  it('isolates text from right to left only where it is told to', () => {
    const told = { type: 'hook.failed', threadId: 'שלום', error: 'no' };
    expect(sentenceOf(told).text).toBe('A hook failed at the release of שלום: no.');
    expect(sentenceOf(told, shownWithin).text).toBe('A hook failed at the release of \u2068שלום\u2069: no.');
  });

  it('makes visible what somebody hid in it', () => {
    const told = { type: 'hook.failed', ...who, error: '\u001b[31mred\u202Ederutnever\n' };
    expect(sentenceOf(told).text).toBe(
      String.raw`A hook failed at the release of thread_1: \u001b[31mred\u202ederutnever\u000a.`,
    );
  });
});

describe('a reason', () => {
  it.each([
    ['disconnected', 'a suspect: no answer when asked, silent for 1 min 32 s', 'silent'],
    ['disconnected', 'dead: found closed, silent for 1 min 32 s', 'closed'],
    ['disconnected', 'too slow: its unsent data did not move for 10 min', 'stuck'],
    ['disconnected', 'too slow: more unsent data waited for it than maxUnsentBytes allows', 'overfull'],
    ['disconnected', 'dead: silent for 1 min 32 s'],
    ['idle', 'abandoned: unused for 12 min, more than the 10 min allowed'],
    ['error', 'failed: its error stood for over 10 min'],
    ['oldest', 'the one left alone longest: unused for 12 min, more than the 10 min allowed'],
  ])('of %s: %s', (strategy, text, finding: string | null = null) => {
    expect(reasonOf({ strategy, idleMs: 720_000, silentMs: 92_000, limitMs: 600_000, finding })).toBe(text);
  });
});

describe('what a suspect waits for', () => {
  it.each([
    [40_000, 'has not answered for 29 s; gives its place to a newcomer, else the heartbeat ends it in at most 40 s'],
    [null, 'has not answered for 29 s; gives its place to a newcomer, else the heartbeat ends it'],
  ])('where it ends in %s ms', (endsInMs, text) => {
    expect(outlookOf({ unansweredMs: 29_000, endsInMs })).toBe(text);
  });
});

describe('figures', () => {
  it.each([
    [null, '–'],
    [undefined, '–'],
    [NaN, '–'],
    [-5, '0 ms'],
    [0, '0 ms'],
    [0.4, 'under 1 ms'],
    [999.4, '999 ms'],
    [999.5, '1 s'],
    [1_000, '1 s'],
    [9_949, '9.9 s'],
    [9_950, '10 s'],
    [59_499, '59 s'],
    [59_500, '1 min'],
    [3_599_499, '59 min 59 s'],
    [3_599_500, '1 h'],
    [86_369_999, '23 h 59 min'],
    [86_370_000, '1 d'],
    [90_000_000, '1 d 1 h'],
  ])('%s milliseconds are %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_499, '1 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [67_108_864, '67.1 MB'],
  ])('%d bytes are %s', (number, text) => {
    expect(bytes(number)).toBe(text);
  });

  it('have their units', () => {
    expect([count(12_345), counted(1, 'user'), counted(2, 'miss', 'misses')]).toEqual(['12,345', '1 user', '2 misses']);
    expect([percent(0.994), percent(1), bytes(12_300), bytes(2_500_000)]).toEqual([
      '99.4 %',
      '100 %',
      '12 kB',
      '2.5 MB',
    ]);
    expect(timeOf(new Date(NaN))).toBe('–');
    expect(shown('ünïcode 🐍 stays')).toBe('ünïcode 🐍 stays');
  });
});
