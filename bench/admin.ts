import { loadavg } from 'node:os';
import { measureRequests, type Measured, type RequestSizes } from './admin-requests.js';
import type { AdminPlace, AdminServerCalls } from './admin-server.js';
import type { WatcherCalls } from './admin-watcher.js';
import {
  measureWatching,
  type Watching,
  type WatchingCompared,
  type WatchingSizes,
  type WatchingSubject,
} from './admin-watching.js';
import { controlTolerance, ratioText } from './support/pairs.js';
import { show, type Bar, type Report, type Row } from './support/report.js';
import { Worker } from './support/worker.js';
import type { ClientCalls } from './ws-client.js';

interface Sizes {
  readonly managers: number;
  readonly requests: RequestSizes;
  readonly watching: WatchingSizes;
}

const quick: Sizes = {
  managers: 5_000,
  requests: { calls: 20, callsAnew: 2 },
  watching: { pairs: { loaded: 2, unloaded: 2 }, slices: 2, sliceMs: 1_000, connections: 200, warmUpMs: 2_000 },
};

/** About twenty-five minutes. */
const full: Sizes = {
  managers: 50_000,
  requests: { calls: 300, callsAnew: 15 },
  watching: { pairs: { loaded: 60, unloaded: 15 }, slices: 4, sliceMs: 1_000, connections: 200, warmUpMs: 5_000 },
};

const maxBytes = 200_000;
const maxMetricsMs = 50;
const maxPageMs = 20;

/** What watching may cost: a part of the throughput, of the CPU time per echo, or of a second. */
const minThroughputRatio = 0.97;
const maxCpuRatio = 1.03;

/** The cost of requests to a full server, and of watching a server. */
export async function benchAdmin(isQuick: boolean): Promise<Report> {
  const sizes = isQuick ? quick : full;
  const server = new Worker<AdminServerCalls>(new URL('./admin-server.js', import.meta.url));
  const client = new Worker<ClientCalls>(new URL('./ws-client.js', import.meta.url));
  const watcher = new Worker<WatcherCalls>(new URL('./admin-watcher.js', import.meta.url));
  const loadBefore = loadavg()[0] ?? NaN;
  try {
    const place = await server.call('start', sizes.managers);
    const requests = await measureRequests(server, place, sizes.requests);
    const watching = await measureWatching({ server, client, watcher }, place, sizes.watching);
    return reportOf({ sizes, place, requests, watching, loadBefore });
  } finally {
    await watcher.end();
    await client.end();
    await server.end();
  }
}

interface Found {
  readonly sizes: Sizes;
  readonly place: AdminPlace;
  readonly requests: readonly Measured[];
  readonly watching: Watching;
  /** The load of the machine in the minute before. */
  readonly loadBefore: number;
}

function reportOf(found: Found): Report {
  const { place, requests, watching, loadBefore } = found;
  const voided = voidedOf(watching.compared);
  const who = `${show(place.managers)} managers of ${show(place.users)} users`;
  const perSecond = (count: number): string => show((1_000 * count) / watching.watchedMs);
  return {
    title: `The admin API, and watching a server${voided.size > 0 ? ': watching is VOID in part' : ''}`,
    tables: [
      {
        caption: `Requests to a server with ${who}, in ms; load of the machine before: ${show(loadBefore)}`,
        rows: requests.map(requestRow),
      },
      {
        caption: `A server with a watcher to the same without: the median of all pairs (its 95 % interval); ${perSecond(watching.polls)} polls and ${perSecond(watching.events)} events a second`,
        rows: watching.compared.map(watchingRow),
      },
    ],
    bars: [...requestBars(requests), ...watching.compared.flatMap((each) => watchingBars(each, voided.has(each)))],
    measured: found,
  };
}

function requestRow({ what, bytes, tookMs, anewMs, cpuMs, cpuAnewMs, waitedMs }: Measured): Row {
  return {
    'asked for': what,
    bytes,
    p50: tookMs.median,
    p99: tookMs.p99,
    "of it the server's CPU": cpuMs,
    'counted anew: p50': anewMs?.median ?? '',
    'counted anew: max': anewMs?.max ?? '',
    "of it the server's CPU, and more": cpuAnewMs ?? '',
    'waited for a CPU': waitedMs,
  };
}

/** Of the lists, the slowest counts. A page has fifty users unless the request says more. */
function requestBars(requests: readonly Measured[]): Bar[] {
  const metrics = requests.filter(({ what }) => what === 'metrics');
  const bytes = Math.max(...metrics.map((each) => each.bytes));
  const size = { bar: 'metrics: size', wanted: `under ${show(maxBytes)} B`, got: `${show(bytes)} B` };
  const overview = requests.filter(({ what }) => what === 'overview');
  const lists = requests.filter(({ what }) => what.startsWith('users: ') && !what.startsWith('users: 500'));
  return [
    { ...size, isMet: bytes < maxBytes },
    slowest('metrics: p99', metrics, { of: ({ tookMs }) => tookMs.p99, maxMs: maxMetricsMs }),
    slowest('overview: p99', overview, { of: ({ tookMs }) => tookMs.p99, maxMs: maxPageMs }),
    slowest('a page of users: p99', lists, { of: ({ tookMs }) => tookMs.p99, maxMs: maxPageMs }),
    slowest('a page of users, counted anew: p50', lists, {
      of: ({ anewMs }) => anewMs?.median ?? 0,
      maxMs: maxPageMs,
    }),
  ];
}

interface Slowest {
  readonly of: (measured: Measured) => number;
  readonly maxMs: number;
}

function slowest(bar: string, among: readonly Measured[], { of, maxMs }: Slowest): Bar {
  const last = among.reduce((one, other) => (of(other) > of(one) ? other : one));
  const ms = of(last);
  const which = among.length > 1 ? ` (${last.what})` : '';
  return { bar, wanted: `under ${show(maxMs)} ms`, got: `${show(ms)} ms${which}`, isMet: ms < maxMs };
}

const words = {
  throughput: 'echoes per second',
  cpu: "server's CPU per echo",
  apart: "server's CPU, without echoes",
} as const satisfies Record<WatchingSubject, string>;

const units = {
  throughput: (usPerEcho) => `${show(Math.round(1_000_000 / usPerEcho))} /s`,
  cpu: (usPerEcho) => `${show(usPerEcho)} us`,
  apart: (msPerSecond) => `${show(msPerSecond)} ms/s`,
} as const satisfies Record<WatchingSubject, (cost: number) => string>;

function isControlled({ control }: WatchingCompared): boolean {
  return Math.abs(control.median - 1) <= controlTolerance;
}

/** Figures of the same slices are valid together, or not at all. */
function voidedOf(compared: readonly WatchingCompared[]): ReadonlySet<WatchingCompared> {
  const apart = compared.filter(({ what }) => what === 'apart');
  const loaded = compared.filter(({ what }) => what !== 'apart');
  return new Set([apart, loaded].filter((group) => !group.every(isControlled)).flat());
}

function watchingRow({ what, ratio, control, alone, watched, pairs }: WatchingCompared): Row {
  return {
    what: words[what],
    alone: units[what](alone),
    watched: units[what](watched),
    ratio: ratioText(ratio),
    'A/A control': ratioText(control),
    pairs,
  };
}

function watchingBars(found: WatchingCompared, isVoid: boolean): Bar[] {
  const { what, ratio, control } = found;
  const isThroughput = what === 'throughput';
  const isEnough = isThroughput ? ratio.median >= minThroughputRatio : ratio.median <= maxCpuRatio;
  return [
    {
      bar: `watched: ${words[what]}`,
      wanted: isThroughput ? `at least ${minThroughputRatio} x` : `at most ${maxCpuRatio} x`,
      got: `${isVoid ? 'VOID: ' : ''}${ratioText(ratio)}`,
      isMet: isEnough && !isVoid,
    },
    {
      bar: `watched: ${words[what]}: A/A control`,
      wanted: `1 ± ${controlTolerance}`,
      got: ratioText(control),
      isMet: isControlled(found),
    },
  ];
}
