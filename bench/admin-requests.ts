import type { AdminPlace, AdminServerCalls } from './admin-server.js';
import { pause } from './support/case.js';
import { summarise, type Summary } from './support/numbers.js';
import { Progress } from './support/progress.js';
import type { Worker } from './support/worker.js';

/** How often each request is made. */
export interface RequestSizes {
  /** Requests without pauses. Of a list, all but the first are answered from the same snapshot. */
  readonly calls: number;
  /** Requests with a pause before each, so that each needs a new snapshot, like the polls of a dashboard. */
  readonly callsAnew: number;
}

/** A request that is measured. */
export interface Asked {
  readonly what: string;
  readonly path: string;
  /** Whether it is answered from a snapshot; then it is measured with pauses too. */
  readonly isOfSnapshot: boolean;
}

/** How long a request took for its client, and how much CPU time the server used and waited for, per call. */
export interface Measured extends Asked {
  readonly bytes: number;
  readonly tookMs: Summary;
  readonly anewMs: Summary | null;
  readonly cpuMs: number;
  readonly cpuAnewMs: number | null;
  readonly waitedMs: number;
}

/** Longer than the second that a snapshot is valid. */
const staleMs = 1_050;

/** Calls before any is measured. */
const warmUps = 20;

export async function measureRequests(
  server: Worker<AdminServerCalls>,
  place: AdminPlace,
  sizes: RequestSizes,
): Promise<Measured[]> {
  const asked = await requestsOf(place);
  const progress = new Progress('admin: requests');
  for (const { path } of asked) for (let call = 0; call < warmUps; call++) await get(place, path);
  const measured: Measured[] = [];
  for (const [index, each] of asked.entries()) {
    progress.at(index, asked.length);
    measured.push(await measure(server, { place, asked: each, sizes }));
  }
  return measured;
}

/** Every page of the list that a viewer can request, and the other requests of a dashboard. */
async function requestsOf(place: AdminPlace): Promise<Asked[]> {
  const list = async (what: string, query: Readonly<Record<string, string>>): Promise<Asked[]> => [
    { what: `users: ${what}`, path: listPath(query), isOfSnapshot: true },
    { what: `users: ${what}, halfway down`, path: await halfwayDown(place, query), isOfSnapshot: true },
  ];
  return [
    { what: 'metrics', path: '/metrics', isOfSnapshot: false },
    { what: 'overview', path: '/api/v1/overview', isOfSnapshot: false },
    ...(await list('by usage', { sort: 'usage' })),
    ...(await list('by idle', { sort: 'idle' })),
    ...(await list('by id', { sort: 'id' })),
    ...(await list('at info', { sort: 'usage', level: 'info' })),
    ...(await list('searched', { sort: 'usage', search: 'a1' })),
    { what: 'users: 500 by usage', path: listPath({ sort: 'usage', limit: '500' }), isOfSnapshot: true },
    { what: 'a user', path: `/api/v1/users/${place.fullest}`, isOfSnapshot: false },
    { what: 'success metrics', path: '/api/v1/kpis', isOfSnapshot: false },
  ];
}

function listPath(query: Readonly<Record<string, string>>): string {
  return `/api/v1/users?${new URLSearchParams(query).toString()}`;
}

/** The middle one of the pages that match. */
async function halfwayDown(place: AdminPlace, query: Readonly<Record<string, string>>): Promise<string> {
  let cursor: Readonly<Record<string, string>> = {};
  for (let seen = 0, total = Infinity; seen < total / 2; seen += 500) {
    const page = await get(place, listPath({ ...query, limit: '500', ...cursor }));
    const { nextCursor, total: all } = JSON.parse(page) as { nextCursor: string | null; total: number };
    total = all;
    if (nextCursor === null) break;
    cursor = { cursor: nextCursor };
  }
  return listPath({ ...query, ...cursor });
}

async function measure(
  server: Worker<AdminServerCalls>,
  { place, asked, sizes }: { place: AdminPlace; asked: Asked; sizes: RequestSizes },
): Promise<Measured> {
  const at = { server, place, path: asked.path };
  const soon = await timed({ ...at, calls: sizes.calls, pauseMs: 0 });
  const anew = asked.isOfSnapshot ? await timed({ ...at, calls: sizes.callsAnew, pauseMs: staleMs }) : null;
  const { bytes, tookMs, cpuMs } = soon;
  const waitedMs = (anew ?? soon).waitedMs;
  return { ...asked, bytes, tookMs, cpuMs, waitedMs, anewMs: anew?.tookMs ?? null, cpuAnewMs: anew?.cpuMs ?? null };
}

interface Timing {
  readonly server: Worker<AdminServerCalls>;
  readonly place: AdminPlace;
  readonly path: string;
  readonly calls: number;
  readonly pauseMs: number;
}

/** Other work of the server during a request, mostly its heartbeat, is included; work during the pauses is not. */
async function timed({ server, place, path, calls, pauseMs }: Timing) {
  const took: number[] = [];
  let bytes = 0;
  let cpuMs = 0;
  let waitedMs = 0;
  for (let call = 0; call < calls; call++) {
    if (pauseMs > 0) await pause(pauseMs);
    const before = await server.call('cpu');
    const startedAt = performance.now();
    bytes = Buffer.byteLength(await get(place, path));
    took.push(performance.now() - startedAt);
    const after = await server.call('cpu');
    cpuMs += after.usedMs - before.usedMs;
    waitedMs += after.waitedMs - before.waitedMs;
  }
  return { bytes, tookMs: summarise(took), cpuMs: cpuMs / calls, waitedMs: waitedMs / calls };
}

async function get({ adminUrl }: AdminPlace, path: string): Promise<string> {
  const response = await fetch(new URL(path, adminUrl));
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text}`);
  return text;
}
