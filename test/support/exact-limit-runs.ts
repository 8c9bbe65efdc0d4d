import { expect } from 'vitest';
import type { ScriptEdit } from './shared-process.js';
import type { ExactLimitResult, ExactLimitRun } from './exact-limit.js';

/** Few users, so that each of them is full often. */
export const shortRun: ExactLimitRun = {
  users: 100,
  limit: 10,
  threads: 200,
  held: 225,
  atOnce: 16,
  perSecond: 300,
  turns: ['killed', 'emptied'],
};

/** Each fault often enough, and more than 300,000 admissions. */
export const longRun: ExactLimitRun = {
  users: 2_000,
  limit: 20,
  threads: 400,
  held: 8_500,
  atOnce: 64,
  perSecond: 450,
  admissions: 300_000,
  turns: ['killed', 'paused', 'emptied', 'killed', 'paused', 'emptied', 'killed', 'paused', 'emptied', null],
};

/** Nobody asks whether a process lives: the slots of the killed stay. */
export const withoutLiveness: readonly ScriptEdit[] = [
  { in: 'prelude', find: 'math.max(clock - score, 0) or false', replace: 'math.max(clock - score, 0) or 0' },
  { in: 'prelude', find: 'if silentMs and silentMs >= nodeTimeoutMs then silentMs = false end', replace: '' },
];

const fence = "if not isAlive(ownEpoch) then return { 'unknown' } end\n";

/** A process that stood still admits although the others take it for dead. */
export const withoutFence: readonly ScriptEdit[] = [
  ...['acquire', 'commit', 'release', 'assert', 'verify'].map((name) => ({ in: name, find: fence, replace: '' })),
];

/** What comes after this version: its scripts say so, and write one more field wherever others read. */
export const ofNextVersion: readonly ScriptEdit[] = [
  { in: 'beat', find: "local version, maxEntries = '1', 200", replace: "local version, maxEntries = '2', 200" },
  { in: 'beat', find: "'version', version)", replace: "'version', version, 'next', version)" },
  { in: 'slots', find: "maxLog, '*', ...)", replace: "maxLog, '*', 'v', '2', ...)" },
];

/** What a run has shown, as a table. */
export function tableOf(name: string, { verdict, kills, freezes, redisFaults, ...rest }: ExactLimitResult): string {
  const redis = Object.entries(redisFaults).map(([fault, count]) => `${count} × ${fault}`);
  const rows: readonly (readonly [string, string | number])[] = [
    ['admissions', verdict.opens],
    ['takeovers between processes', verdict.takeovers],
    ['refused, for the quota', verdict.refusals],
    ['processes killed', kills],
    ['processes stopped for 8 s', freezes],
    ['Redis', redis.join(', ')],
    ['admitted without an answer of Redis, without a fault', verdict.alone],
    ['beyond the limit, allowed by a fault', verdict.allowedOver],
    ['beyond the limit, not allowed', verdict.over.length],
    ['beyond the limit in one process', verdict.overInOne.length],
    ['threads open twice for more than 1.5 s', verdict.twice.length],
    ['the longest time that a thread was open twice, in ms', Math.round(verdict.longestTwiceMs)],
    ['refused although there was room', verdict.refusedWithRoom.length],
    ['slots that are not the same in Redis, in the end', rest.unequal.length],
    ['troubles with Redis that no fault explains', rest.ledgerTroubles],
    [
      'until a process shares the quota again after Redis is back: the longest, in ms',
      Math.round(Math.max(0, ...rest.returnsMs)),
    ],
    ['the same, the median', Math.round(medianOf(rest.returnsMs))],
  ];
  return [`| exact limit, ${name} | |`, '|---|--:|', ...rows.map(([what, value]) => `| ${what} | ${value} |`)].join(
    '\n',
  );
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

/** The limit held, but for what a fault allows. A failure shows what happened around the first three cases of each kind. */
export function expectKept({ verdict, unequal, stories }: ExactLimitResult): void {
  for (const story of stories) console.log(story);
  expect(verdict.over.slice(0, 3)).toEqual([]);
  expect(verdict.overInOne.slice(0, 3)).toEqual([]);
  expect(verdict.twice.slice(0, 3)).toEqual([]);
  expect(verdict.refusedWithRoom.slice(0, 3)).toEqual([]);
  expect(unequal.slice(0, 3)).toEqual([]);
}
