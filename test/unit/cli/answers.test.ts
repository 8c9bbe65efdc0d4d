import { describe, expect, it } from 'vitest';
import type {
  CleanupView,
  KpisView,
  ManagerView,
  Overview,
  UserSummary,
  UserView,
} from '../../../src/admin/schemas.js';
import { eventLine } from '../../../src/cli/commands/events.js';
import {
  tellCleanup,
  tellConfig,
  tellJournal,
  tellReleased,
  tellKpis,
  tellScene,
  tellUsage,
  tellUser,
  tellUsers,
} from '../../../src/cli/terminal/answers.js';
import { inertExceptColours, paintFor, plain } from '../../../src/cli/terminal/paint.js';
import { aligned, clipped, widthOf } from '../../../src/cli/terminal/table.js';
import { alertLevels } from '../../../src/core/vocabulary.js';
import { inert, inertFields, inertJson } from '../../../src/presentation/inert.js';
import { tallyOf } from '../../support/tally.js';

const escape = '\u001b';
const colour = paintFor({ isTerminal: true, env: {} });

describe('a table', () => {
  it('of a hundred and fifty thousand rows is one', () => {
    const rows = Array.from({ length: 150_000 }, (_, row) => [`user-${row}`, 'normal']);
    expect(aligned(rows).split('\n')).toHaveLength(rows.length);
  });

  it('has its cells below each other, colours and wide characters counted as they are seen', () => {
    const table = aligned([
      ['user', 'n'],
      [colour('red', 'ada'), '1'],
      ['漢字😀', '2'],
      ['e\u0301', '3'],
    ]);
    expect(table.split('\n').map((line) => widthOf(line))).toEqual([9, 9, 9, 9]);
    expect(table.split('\n')[3]).toBe('e\u0301       3');
  });

  it('of any number of columns keeps its first cells whole; those longer than 40 columns move nobody but themselves', () => {
    const rows = [
      ['user', 'level'],
      ['x'.repeat(40), 'normal'],
      ['😀'.repeat(128), 'normal'],
    ];
    expect(aligned(rows).split('\n')).toEqual([
      `user${' '.repeat(36)}  level`,
      `${'x'.repeat(40)}  normal`,
      `${'😀'.repeat(128)}  normal`,
    ]);
    expect(
      aligned([
        ['user', 'level'],
        ['ada', 'info'],
        ['😀'.repeat(21), 'info'],
      ]).split('\n')[1],
    ).toBe('ada   info');
  });

  it('of more columns than there are cuts its first cells, down to twelve', () => {
    const rows = [
      ['user', 'level'],
      ['x'.repeat(30), 'normal'],
    ];
    expect(aligned(rows, 38)).toBe(aligned(rows));
    expect(aligned(rows, 37).split('\n')[1]).toBe(`${'x'.repeat(28)}…  normal`);
    expect(aligned(rows, 5).split('\n')[1]).toBe(`${'x'.repeat(11)}…  normal`);
  });
});

describe('the width of a text', () => {
  it.each([
    ['abc', 3],
    ['', 0],
    [colour('red', 'abc'), 3],
    ['漢字', 4],
    ['e\u0301', 1],
    ['✅', 2],
    ['❤️', 2],
    ['⚡', 2],
    ['☕', 2],
    ['⌚', 2],
    ['⏰', 2],
    ['⭐', 2],
    ['🫠', 2],
    ['🀄', 2],
    ['👍🏽', 2],
    ['👩‍👩‍👧', 2],
    ['🇩🇪', 2],
    ['한', 2],
    ['각', 2],
    ['ｱ', 1],
    ['…', 1],
    ['a\u200bb', 2],
    ['नि', 1],
  ])('%j takes %i columns', (text, width) => {
    expect(widthOf(text)).toBe(width);
  });
});

describe('a clipped text', () => {
  it.each([
    ['abc', 3, 'abc'],
    ['abcd', 3, 'ab…'],
    ['漢字漢', 5, '漢字…'],
    ['漢字漢', 4, '漢…'],
    ['👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧', 5, '👩‍👩‍👧👩‍👩‍👧…'],
    ['✅✅✅', 4, '✅…'],
    ['', 0, ''],
  ])('%j within %i columns is %j', (text, columns, cut) => {
    expect(clipped(text, columns)).toBe(cut);
  });

  it('keeps its colours, and ends them', () => {
    const text = `a${colour('red', 'bcd')}e${colour('green', 'f')}`;
    expect(clipped(text, 6)).toBe(text);
    expect(clipped(text, 5)).toBe(`a${escape}[31mbcd${escape}[0m…${escape}[0m`);
    expect(clipped(text, 3)).toBe(`a${escape}[31mb…${escape}[0m`);
  });
});

describe('colours', () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
  ])('on a terminal (%s) with %j: %s', (isTerminal, env, isColourful) => {
    expect(paintFor({ isTerminal, env })('red', 'x') !== 'x').toBe(isColourful);
  });
});

describe('text from elsewhere', () => {
  it.each([
    [`${escape}[31mred`, String.raw`\u001b[31mred`],
    ['a\r\nb\u0007', String.raw`a\u000d\u000ab\u0007`],
    ['\u009b31m', String.raw`\u009b31m`],
    ['x\u202egpj', String.raw`x\u202egpj`],
    ['a\u200bb\ufeff', String.raw`a\u200bb\ufeff`],
    ['half \ud83d', String.raw`half \ud83d`],
    ['tag\u{e0041}', String.raw`tag\udb40\udc41`],
    ['a\u3164b\u2800c\uffa0d\u115fe', String.raw`a\u3164b\u2800c\uffa0d\u115fe`],
    ['a\ufe0fb\u{e0101}', String.raw`a\ufe0fb\udb40\udd01`],
    ['\u0085\u0080\u009f', String.raw`\u0085\u0080\u009f`],
    ['\u2066x\u2069\u061c', String.raw`\u2066x\u2069\u061c`],
    ['<b>😀 漢字</b>', '<b>😀 漢字</b>'],
  ])('%j is shown as %s', (text, shown) => {
    expect(inert(text)).toBe(shown);
    expect(JSON.parse(inertJson(JSON.stringify({ text })))).toEqual({ text });
  });
});

describe('an event', () => {
  it('is a line, whatever is in it', () => {
    const line = eventLine({ type: 'unheard.of', atMs: 0, userId: 'a\nb', note: 'c\nd' }, plain);
    expect(line).toMatch(/^\d\d:\d\d:\d\d {2}unheard\.of {12}a\\u000ab unheard\.of \{"note":"c\\nd"\}\n$/);
  });
});

const usage = { userId: 'ada', managerCount: 12, maxManagers: 20, usageRatio: 0.6, alertLevel: 'warning' } as const;
const manager = {
  ...{ key: 'ada:thread_1', userId: 'ada', threadId: 'thread_1', state: 'attached', liveness: 'heard' },
  ...{ generation: 1, admittedAt: '2026-11-25T00:00:00.000Z', ageMs: 1, connectedMs: 1, idleMs: 1, inboundIdleMs: 1 },
  ...{ outboundIdleMs: null, silentMs: null, roundTripMs: null, misses: 0, isHeld: true, isEngaged: false },
  ...{ hasSuccessor: false, suspect: null, error: `oh${escape}` },
} as const satisfies ManagerView;

describe('what a script hears', () => {
  it.each(alertLevels)('of a user at %s', (alertLevel) => {
    const user: UserView = { ...usage, alertLevel, waiting: 0, managers: [], journalEntries: 1 };
    const hasTrouble = ['warning', 'critical', 'emergency'].includes(alertLevel);
    expect(tellUser(user, plain).hasTrouble).toBe(hasTrouble);
    expect(tellUsage(user, plain)).toEqual({ text: `ada: 12 of 20 (60 %), ${alertLevel}\n`, hasTrouble });
  });

  it.each([false, true])('of a cleanup that ran out of time (%s)', (timedOut) => {
    const view: CleanupView = {
      ...{ userId: 'ada', dryRun: false, cleaned: 0, chosen: [], attempts: 1, timedOut, durationMs: 10_000 },
      ...{ byStrategy: tallyOf(), remaining: 3 },
    };
    const { text, hasTrouble } = tellCleanup(view, plain);
    expect(hasTrouble).toBe(timedOut);
    expect(text).toBe(`ada: 0 released, 3 left, in 10 s${timedOut ? '; there was not enough time' : ''}\n`);
  });

  it.each(['pass', 'fail', 'no data'] as const)('of a metric that says %s', (verdict) => {
    const kpi = { name: 'accumulation', number: 4, value: 0, unit: 'managers', target: '0', samples: 1 } as const;
    const view = {
      kpis: [{ ...kpi, verdict, detail: {} }],
      window: { durationMs: 1, lengthMs: 86_400_000, isSinceStart: true },
    };
    expect(tellKpis(view as KpisView, plain).hasTrouble).toBe(verdict === 'fail');
  });

  it.each([0, 1])('of a release that ended %i', (released) => {
    expect(tellReleased({ released })).toEqual({ text: `${String(released)} released\n`, hasTrouble: released === 0 });
  });

  it.each([false, true])('of a journal that is kept (%s)', (isKept) => {
    expect(tellJournal({ userId: 'ada', isKept, entries: [], suspects: [] }, plain).hasTrouble).toBe(!isKept);
  });
});

describe('what a person sees', () => {
  it('of a user: each connection, and who waits', () => {
    const { text } = tellUser({ ...usage, waiting: 2, managers: [manager], journalEntries: 1 }, plain);
    expect(text).toBe(
      String.raw`ada: 12 of 20 (60 %), warning
2 waiting for a place

thread    age   idle  silent  liveness  held  engaged  error
thread_1  1 ms  1 ms  -       heard     yes   no       oh\u001b
`,
    );
  });

  it('of suspects: for how long they have not answered, and what they wait for', () => {
    const suspect = { unansweredMs: 29_000, endsInMs: 40_000 };
    const managers = [manager, { ...manager, threadId: 'thread_2', liveness: 'suspect', suspect } as const];
    const { text } = tellUser({ ...usage, waiting: 0, managers, journalEntries: 1 }, plain);
    const line =
      'thread_2  suspect: has not answered for 29 s; gives its place to a newcomer, else the heartbeat ends it in at most 40 s\n';
    expect(text).toMatch(/^thread_2 .* suspect +yes +no/m);
    expect(text.endsWith(`\n\n${line}`)).toBe(true);
    const suspects = [{ threadId: 'thread_2', ...suspect }];
    expect(tellJournal({ userId: 'ada', isKept: true, entries: [], suspects }, plain).text).toBe(
      `ada: never disconnected, as far as is known\n\n${line}`,
    );
    expect(tellJournal({ userId: 'ada', isKept: false, entries: [], suspects }, plain).text).toContain(`\n${line}`);
  });

  it('of the server: how many suspects there are, and what waits to be sent', () => {
    const overview = {
      ...{ version: '1.2.3', now: '2026-11-25T00:01:00.000Z', uptimeMs: 60_000 },
      ...{ isDraining: false, managers: 40, connections: 39, users: 2, waiting: 1, suspects: 3 },
      unsentBytes: { sum: 2_500_000, largest: 900_000 },
      usersByLevel: { normal: 1, info: 0, warning: 1, critical: 0, emergency: 0 },
      limits: { perUser: 20, total: null },
      totals: { admitted: 50, takenOver: 2, refused: {}, released: {}, cleaned: {} },
    } as unknown as Overview;
    const users = { users: [], total: 0, nextCursor: null, asOf: '2026-11-25T00:01:00.000Z' };
    expect(tellScene({ overview, users }, plain).text.split('\n').slice(1, 3)).toEqual([
      '40 managers, 39 connected, 1 waiting',
      '3 suspects, 2.5 MB unsent, at most 900 kB of them to one connection',
    ]);
  });

  it('of a user without a limit, and of a connection that its page has left', () => {
    const away = { ...manager, state: 'away', liveness: 'away', error: null } as const;
    const unlimited = { ...usage, maxManagers: null, usageRatio: 0, alertLevel: 'normal' } as const;
    const { text } = tellUser({ ...unlimited, waiting: 0, managers: [away], journalEntries: 1 }, plain);
    expect(text).toMatch(/^ada: 12, no limit, normal\n/);
    expect(text).toMatch(/thread_1 .* away +yes/);
  });

  it.each([
    ['idle', 'thread_1 was released as abandoned: unused for 2 min; it had lasted 3 min 12 s.'],
    ['closed', 'thread_1 closed by itself after 3 min 12 s.'],
    ['shutdown', 'thread_1 was released because the server stops; it had lasted 3 min 12 s.'],
  ])('of a journal: how long each released connection had lasted (%s)', (reason, sentence) => {
    const at = '2026-11-25T00:00:00.000Z';
    const figures = { ageMs: 192_000, idleMs: 120_000, silentMs: 1, limitMs: null, by: null, finding: null };
    const entry = { type: 'manager.released', at, atMs: 0, threadId: 'thread_1', reason, ...figures };
    const { text } = tellJournal({ userId: 'ada', isKept: true, entries: [entry], suspects: [] }, plain);
    expect(text.match(/thread_1 .*/g)).toEqual([sentence, sentence]);
  });

  it('of users: whose names are shown inert, and how many more there are', () => {
    const idle = { idleMs: 1, longestIdleMs: 2 };
    const user: UserSummary = { ...usage, userId: 'a\u202eb', held: 1, suspects: 2, waiting: 0, ...idle };
    const page = { users: [user], total: 3, nextCursor: 'x', asOf: '2026-11-25T00:00:00.000Z' };
    expect(tellUsers(page, plain).text).toBe(
      String.raw`user      managers  usage  level    held  suspects  waiting  idle  longest idle
a\u202eb  12 of 20  60 %   warning  1     2         0        1 ms  2 ms

1 of 3; --all shows all
`,
    );
  });

  it('of the configuration: settings as they are written outside code', () => {
    const settings = { idleManagerTimeoutMs: { value: 90_000, written: '90s', source: 'flag' } };
    expect(tellConfig({ environment: null, settings }).text).toBe(
      'environment: none\n\nsetting             value  source\nidleManagerTimeout  90s    flag\n',
    );
  });

  it('of a metric: what it is made of', () => {
    const kpi = { number: 1, value: 1_000, unit: 'ms', target: 'quick', samples: 2, verdict: 'pass' } as const;
    const detail = { timedOut: 1, p99Ms: 1_234, longestMs: 75_000 };
    const view = {
      kpis: [{ ...kpi, name: 'emergencyCleanupTime', detail }],
      window: { durationMs: 1, lengthMs: 86_400_000, isSinceStart: true },
    };
    expect(tellKpis(view as KpisView, plain).text).toMatch(
      /\n\n1 {2}emergency cleanup time {2}timed out 1, p99 1\.2 s, longest 1 min 15 s\n$/,
    );
  });
});

describe('what a hostile server sends', () => {
  const hostile = '\u009b2J\u001b[8m\u202e';

  it('is inert where a number is expected, and in fields that nobody knows', () => {
    const totals = {
      admitted: hostile,
      takenOver: 0,
      refused: { quota: 1, [hostile]: hostile },
      released: {},
      cleaned: {},
    };
    const levels = { normal: hostile, info: 0, warning: 0, critical: 0, emergency: 0 };
    const overview = { version: hostile, uptimeMs: hostile, isDraining: false, managers: hostile, totals } as object;
    const more = { connections: 0, waiting: 0, users: 1, limits: { total: null }, usersByLevel: levels };
    const waits = { suspects: hostile, unsentBytes: { sum: hostile, largest: hostile } };
    const scene = { overview: { ...overview, ...more, ...waits }, users: { users: [] } } as never;
    const text = inertExceptColours(tellScene(scene, paintFor({ isTerminal: true, env: {} })).text);
    // eslint-disable-next-line no-control-regex -- colours are control characters
    expect(text.replaceAll(/\u001b\[(0|1|2|31|32|33|36)m|\n/g, '')).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(text).toContain('1 refused');
  });

  it('keeps no colour that Mooring does not write', () => {
    const paint = paintFor({ isTerminal: true, env: {} });
    expect(inertExceptColours(`${paint('red', 'a')}\u001b[8mb\n`)).toBe(
      `${paint('red', 'a')}${String.raw`\u001b[8mb`}\n`,
    );
  });
});

describe('the fields of a log line for people', () => {
  it('are inert, in plain objects and arrays too, and otherwise as they were', () => {
    const at = new Date(0);
    expect(
      inertFields({ reason: 'a\u009bb', list: ['\u202e', 1], more: { ['\u2800']: '\u3164' }, at, none: null }),
    ).toEqual({
      reason: String.raw`a\u009bb`,
      list: [String.raw`\u202e`, 1],
      more: { [String.raw`\u2800`]: String.raw`\u3164` },
      at,
      none: null,
    });
  });
});
