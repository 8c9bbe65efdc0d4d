import { pause } from '../support/case.js';
import { Progress } from '../support/progress.js';
import type { Bar, Report, Row } from '../support/report.js';
import { Worker } from '../support/worker.js';
import type { Census } from './census.js';
import type { ChurnReport, SoakClientCalls } from './clients.js';
import type { Planted } from './planted.js';
import type { Done, SoakServerCalls } from './server.js';

export interface SoakOptions {
  readonly forMs: number;
  readonly seed: number;
  /** A planted leak, to show that it is found. */
  readonly planted: Planted | null;
  /** Few and short rounds: shows that the soak runs, and does not look for leaks. */
  readonly isQuick: boolean;
}

const serverUrl = new URL('./server.js', import.meta.url);
const clientUrl = new URL('./clients.js', import.meta.url);

/** How long the churn between two censuses takes. */
const fullRoundMs = 20_000;
const quickRoundMs = 5_000;
const quickRounds = 2;
/** How many rounds come before the baseline, in which code is compiled and caches fill. */
const warmUpRounds = 3;
/** How many clients live at the same time: in the steady process, and in the one that is suspended and killed. */
const steadyClients = 60;
const unluckyClients = 20;
/** How long the cleanup after a round may take: a dead connection is noticed after a heartbeat or two. */
const settledWithinMs = 60_000;
/** Longer than any hook may take, and longer than Node keeps what it is about to free. */
const quietMs = 2_000;
/** How much the heap may differ: it never has the same size twice. */
const heapNoiseKib = 256;
/** Of this many rounds, the smallest heap counts. */
const roundsPerHeap = 3;

/** The result of one round. */
interface Round {
  readonly census: Census;
  readonly lives: number;
  readonly healthyClosed: number;
}

/** Runs rounds of churn and faults, and compares what is left after the last ones with what the first ones left. */
export async function soak({ forMs, seed, planted, isQuick }: SoakOptions): Promise<Report> {
  const server = new Worker<SoakServerCalls>(serverUrl, planted === null ? [] : [planted]);
  const steady = new Worker<SoakClientCalls>(clientUrl);
  const progress = new Progress('soak');
  const rounds: Round[] = [];
  let beganAt = 0;
  const roundMs = isQuick ? quickRoundMs : fullRoundMs;
  const isOver = (): boolean =>
    isQuick
      ? rounds.length >= quickRounds
      : rounds.length >= warmUpRounds + 2 * roundsPerHeap && performance.now() >= beganAt + forMs;
  try {
    const port = await server.call('listen');
    while (!isOver()) {
      const step = rounds.length;
      if (step === warmUpRounds) beganAt = performance.now();
      rounds.push(await runRound({ server, steady, port, seed: seed * 1_000_000 + 2 * step, step, roundMs }));
      progress.at(rounds.length, isQuick ? quickRounds : Math.max(rounds.length, expectedRounds(forMs)));
    }
    return isQuick ? quickReport(rounds, await server.call('done')) : reportOf(rounds, await server.call('done'));
  } finally {
    await Promise.all([steady.end(), server.end()]);
  }
}

/** Settling takes half as long again as the churn. */
function expectedRounds(forMs: number): number {
  return warmUpRounds + Math.max(2 * roundsPerHeap, Math.ceil(forMs / (1.5 * fullRoundMs)));
}

interface RoundOptions {
  readonly server: Worker<SoakServerCalls>;
  readonly steady: Worker<SoakClientCalls>;
  readonly port: number;
  readonly seed: number;
  readonly step: number;
  readonly roundMs: number;
}

async function runRound({ server, steady, port, seed, step, roundMs }: RoundOptions): Promise<Round> {
  const churning = steady.call('churn', { port, seed, forMs: roundMs, atOnce: steadyClients });
  const [{ lives, healthyClosed }] = await Promise.all([
    churning,
    beUnlucky({ port, seed: seed + 1, step, roundMs }),
    stall(server, step, roundMs),
  ]);
  await settle(server);
  return { census: await server.call('census'), lives, healthyClosed };
}

/** A process of clients that is suspended, and then killed or continued, in turn. */
async function beUnlucky({ port, seed, step, roundMs }: Omit<RoundOptions, 'server' | 'steady'>): Promise<void> {
  const worker = new Worker<SoakClientCalls>(clientUrl);
  const churning: Promise<ChurnReport | null> = worker
    .call('churn', { port, seed, forMs: 0.8 * roundMs, atOnce: unluckyClients })
    .catch(() => null);
  await pause(0.3 * roundMs);
  worker.freeze();
  await pause(0.3 * roundMs);
  if (step % 2 === 0) worker.kill();
  else worker.thaw();
  await churning;
  await worker.end();
}

/** Once a round the server blocks for some time, sometimes for longer than a heartbeat. */
async function stall(server: Worker<SoakServerCalls>, step: number, roundMs: number): Promise<void> {
  await pause(0.5 * roundMs);
  await server.call('stall', step % 3 === 0 ? 3_000 : 500);
}

/** Waits until the server has noticed that all clients are gone. */
async function settle(server: Worker<SoakServerCalls>): Promise<void> {
  const until = performance.now() + settledWithinMs;
  for (;;) {
    const { connections, managers } = await server.call('present');
    if (connections === 0 && managers === 0) break;
    // Managers that are left then show in the census.
    if (performance.now() > until) break;
    await pause(200);
  }
  await pause(quietMs);
}

function reportOf(rounds: readonly Round[], done: Done): Report {
  const judged = rounds.slice(warmUpRounds - 1);
  const [before, after] = [judged.at(0), judged.at(-1)] as [Round, Round];
  const lives = judged.slice(1).reduce((sum, round) => sum + round.lives, 0);
  const grownKib = heapGrowth(judged) / 1_024;
  return {
    title: titleOf(rounds, done),
    tables: [
      { caption: 'Left when everybody is gone', rows: rowsOf(before.census, after.census) },
      { caption: 'What the server did', rows: [doneRow(done)] },
    ],
    bars: [
      grownBar(minCounts(judged.slice(0, roundsPerHeap)), minCounts(judged.slice(-roundsPerHeap))),
      {
        bar: 'Heap after a collection',
        wanted: `at most ${heapNoiseKib} KiB more, after ${lives.toLocaleString('en')} connections`,
        got: `${Math.round(grownKib)} KiB more`,
        isMet: grownKib <= heapNoiseKib,
      },
      healthyBar(rounds),
    ],
    measured: { rounds, done },
  };
}

function quickReport(rounds: readonly Round[], done: Done): Report {
  const table = { caption: 'What the server did', rows: [doneRow(done)] };
  return { title: titleOf(rounds, done), tables: [table], bars: [healthyBar(rounds)], measured: { rounds, done } };
}

function titleOf(rounds: readonly Round[], { admitted }: Done): string {
  return `Soak: ${rounds.length} rounds, ${admitted.toLocaleString('en')} connections admitted`;
}

function healthyBar(rounds: readonly Round[]): Bar {
  const closed = rounds.reduce((sum, round) => sum + round.healthyClosed, 0);
  return { bar: 'Healthy connections closed', wanted: '0', got: String(closed), isMet: closed === 0 };
}

function rowsOf(before: Census, after: Census): Row[] {
  const names = [...new Set([...Object.keys(before.counts), ...Object.keys(after.counts)])];
  return [
    ...names.map((what) => ({ what, before: before.counts[what] ?? 0, after: after.counts[what] ?? 0 })),
    { what: 'heap and external, KiB', before: kibOf(before.bytes), after: kibOf(after.bytes) },
    { what: 'resident, KiB (not judged)', before: kibOf(before.residentBytes), after: kibOf(after.residentBytes) },
  ];
}

function doneRow({ admitted, refused, released }: Done): Row {
  return { admitted, refused, ...released };
}

function kibOf(bytes: number): number {
  return Math.round(bytes / 1_024);
}

/** The smallest count of some rounds, by name: what only one round has is about to be freed. */
function minCounts(rounds: readonly Round[]): Readonly<Record<string, number>> {
  const names = new Set(rounds.flatMap(({ census }) => Object.keys(census.counts)));
  const min = (name: string): number => Math.min(...rounds.map(({ census }) => census.counts[name] ?? 0));
  return Object.fromEntries([...names].map((name) => [name, min(name)]));
}

function grownBar(before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>): Bar {
  const grown = Object.entries(after).filter(([name, count]) => count > (before[name] ?? 0));
  return {
    bar: 'Objects, handles, managers and connections',
    wanted: 'as many as before',
    got:
      grown.length === 0
        ? 'as many as before'
        : `more: ${grown.map(([name, count]) => `${name} ${before[name] ?? 0} -> ${count}`).join(', ')}`,
    isMet: grown.length === 0,
  };
}

function heapGrowth(rounds: readonly Round[]): number {
  const min = (some: readonly Round[]): number => Math.min(...some.map(({ census }) => census.bytes));
  return min(rounds.slice(-roundsPerHeap)) - min(rounds.slice(0, roundsPerHeap));
}
