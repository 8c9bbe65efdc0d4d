import {
  createMooring,
  createUserExecutionContext,
  isPending,
  type ManagedConnection,
  type Mooring,
  type UserExecutionContext,
} from '../src/index.js';
import { collect, heapUsed, nextTurn, pause, serveCase } from './support/case.js';
import { GcWatch, gcWithin, lengthOf, type Span } from './support/gc.js';
import { fieldsAt, idsFor } from './support/people.js';
import { QuietConnection } from './support/quiet-connection.js';
import { seeded, shuffled } from './support/numbers.js';

/** What is measured. `load`: speed and bytes. `pauses`: the longest of each operation. */
export type CoreInput =
  | { readonly kind: 'load'; readonly managers: number; readonly activityCalls: number }
  | { readonly kind: 'pauses'; readonly managers: number };

/** Rates per second, bytes per manager. */
export interface CoreLoad {
  readonly managers: number;
  readonly admitPerSecond: number;
  readonly releasePerSecond: number;
  readonly activityNs: number;
  readonly activityShuffledNs: number;
  readonly clockReadNs: number;
  readonly bytesOfIds: number;
  readonly bytesOfContext: number;
  readonly bytesOfManager: number;
  readonly bytesLeftAfterRelease: number;
  readonly fullGcMs: number;
}

/** The longest single operation, with and without the collections that were reported within it. */
export interface Longest {
  readonly longestMs: number;
  readonly longestWithoutGcMs: number;
}

/** The longest of each kind of operation. */
export interface CorePauses {
  readonly managers: number;
  readonly admit: Longest;
  readonly release: Longest;
}

/** How many operations run in one turn of the event loop, as at a server. */
const batch = 1_000;

/** How long timers of a stopped Mooring may be left. */
const quietMs = 2_000;

serveCase(async (input: CoreInput): Promise<CoreLoad | CorePauses> => {
  await warmUp();
  return input.kind === 'load' ? measureLoad(input) : measurePauses(input.managers);
});

async function measureLoad({
  managers,
  activityCalls,
}: {
  managers: number;
  activityCalls: number;
}): Promise<CoreLoad> {
  const { bytes, ...speed } = await weigh(managers);
  const { mooring, connections } = await fillTimed(managers);
  const activity = timeActivity(connections, { mooring, calls: activityCalls });
  const fullGcMs = await timeGc();
  await inBatches(connections.length, (index) => connections[index]?.closed());
  await mooring.stop();
  return { managers, ...speed, ...activity, ...bytes, fullGcMs };
}

async function measurePauses(managers: number): Promise<CorePauses> {
  const { mooring, connections, ...admit } = await fillTimed(managers);
  const release = await longestOf(managers, (index) => connections[index]?.closed());
  if (mooring.managerCount !== 0) throw new Error('not everything was released');
  await mooring.stop();
  return { managers, admit, release };
}

async function warmUp(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    const { connections, mooring } = await fillTimed(5_000);
    await inBatches(connections.length, (index) => connections[index]?.closed());
    await mooring.stop();
  }
  await weigh(5_000);
  // Memory that its timers still hold must not be freed during the next measurement.
  await pause(quietMs);
}

/** Admits and releases all once, with nothing else in memory: the speed of both, and the bytes of each part. */
async function weigh(managers: number) {
  const connections = new Array<ManagedConnection | null>(managers).fill(null);
  const contexts = new Array<UserExecutionContext | null>(managers).fill(null);
  const mooring = newMooring();
  const empty = heapUsed();
  const ids = idsFor(managers);
  const withIds = heapUsed();
  for (let index = 0; index < managers; index++) contexts[index] = createUserExecutionContext(fieldsAt(ids, index));
  const withContexts = heapUsed();
  const admitMs = await inBatches(managers, (index) => {
    const context = contexts[index];
    if (context !== undefined && context !== null) connections[index] = admit(mooring, context);
  });
  const withManagers = heapUsed();
  const releaseMs = await inBatches(managers, (index) => {
    connections[index]?.closed();
    connections[index] = null;
    contexts[index] = null;
  });
  const afterRelease = heapUsed();
  await mooring.stop();
  return {
    admitPerSecond: (1_000 * managers) / admitMs,
    releasePerSecond: (1_000 * managers) / releaseMs,
    bytes: {
      bytesOfIds: (withIds - empty) / managers,
      bytesOfContext: (withContexts - withIds) / managers,
      bytesOfManager: (withManagers - withContexts) / managers,
      bytesLeftAfterRelease: (afterRelease - withIds) / managers,
    },
  };
}

/** Admits all again and measures each admission, context included, to find the longest. */
async function fillTimed(managers: number) {
  const mooring = newMooring();
  const ids = idsFor(managers);
  const connections: ManagedConnection[] = [];
  const longest = await longestOf(managers, (index) => {
    connections.push(admit(mooring, createUserExecutionContext(fieldsAt(ids, index))));
  });
  return { mooring, connections, ...longest };
}

function timeActivity(
  connections: readonly ManagedConnection[],
  { mooring, calls }: { mooring: Mooring; calls: number },
): Pick<CoreLoad, 'activityNs' | 'activityShuffledNs' | 'clockReadNs'> {
  const rounds = Math.max(1, Math.round(calls / connections.length));
  const mixed = shuffled(connections, seeded(1));
  const nsPer = (startedAt: number): number => ((performance.now() - startedAt) * 1e6) / (rounds * connections.length);
  const inOrderAt = performance.now();
  for (let round = 0; round < rounds; round++) for (const connection of connections) connection.received();
  const activityNs = nsPer(inOrderAt);
  const mixedAt = performance.now();
  for (let round = 0; round < rounds; round++) for (const connection of mixed) connection.received();
  const activityShuffledNs = nsPer(mixedAt);
  const clockAt = performance.now();
  for (let read = 0; read < rounds * connections.length; read++) mooring.now();
  return { activityNs, activityShuffledNs, clockReadNs: nsPer(clockAt) };
}

async function timeGc(): Promise<number> {
  await nextTurn();
  const startedAt = performance.now();
  globalThis.gc?.();
  return performance.now() - startedAt;
}

function newMooring(): Mooring {
  return createMooring({ environment: 'production', env: {} });
}

/** Nothing but Mooring's own bytes: all managers share one connection. */
const shared = new QuietConnection();

/** Like an adapter. */
function admit(mooring: Mooring, context: UserExecutionContext): ManagedConnection {
  const outcome = mooring.decide(context);
  if (isPending(outcome) || outcome.refusal !== null) throw new Error('not admitted at once');
  const { connection } = outcome.ticket.open(shared);
  if (connection === null) throw new Error('not opened');
  return connection;
}

/** @returns the milliseconds of all batches together */
async function inBatches(count: number, act: (index: number) => void): Promise<number> {
  let totalMs = 0;
  for (let from = 0; from < count; from += batch) {
    const startedAt = performance.now();
    for (let index = from; index < Math.min(count, from + batch); index++) act(index);
    totalMs += performance.now() - startedAt;
    await nextTurn();
  }
  return totalMs;
}

/** The longest of many operations, with and without collections. */
async function longestOf(count: number, act: (index: number) => void): Promise<Longest> {
  collect();
  const watch = new GcWatch();
  const slow: Span[] = [];
  let longestQuickMs = 0;
  await inBatches(count, (index) => {
    const from = performance.now();
    act(index);
    const to = performance.now();
    if (to - from > 0.5) slow.push({ from, to });
    else longestQuickMs = Math.max(longestQuickMs, to - from);
  });
  const pauses = await watch.finish();
  return {
    longestMs: Math.max(longestQuickMs, ...slow.map(lengthOf)),
    longestWithoutGcMs: Math.max(longestQuickMs, ...slow.map((span) => lengthOf(span) - gcWithin(span, pauses))),
  };
}
