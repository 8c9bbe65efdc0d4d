import { createMooring, isPending, type ManagedConnection, type Mooring } from '../src/index.js';
import { ScannedManagers } from '../src/simulation/seed/active-managers.js';
import { SeedFactory } from '../src/simulation/seed/factory.js';
import { SeedManager, type SeedSocket } from '../src/simulation/seed/manager.js';
import { seedRules } from '../src/simulation/seed/rules.js';
import { FakeConnection } from '../src/testing/index.js';
import { whoMustGo, type Fact, type Verdict } from './oracle.js';
import { serveCase } from './support/case.js';
import { lengthOf } from './support/gc.js';
import { LeapTime } from './support/leap-time.js';
import { median, seeded, shuffled } from './support/numbers.js';
import { fieldsAt, idsFor } from './support/people.js';

export interface VictimsInput {
  readonly managers: number;
  /** How many of each kind must go: not open, idle, errored. */
  readonly plantEach: number;
  /** Whether the sketch's algorithm runs as well. */
  readonly withSketch: boolean;
}

/** How many managers an algorithm released: those that must go, by reason, and others. */
export interface Hits {
  readonly notOpen: number;
  readonly idle: number;
  readonly errored: number;
  readonly wrong: number;
}

export interface VictimsOutput {
  readonly managers: number;
  /** What must go, by the oracle. */
  readonly planted: Hits;
  readonly byCycle: Hits;
  /** By the cycle and the heartbeats of one interval. */
  readonly byCycleAndHeartbeat: Hits;
  readonly bySketch: Hits | null;
  /** The median of the rounds. */
  readonly cycleMs: number;
  readonly sketchMs: number | null;
}

/** When things happen, in milliseconds from the arrival of all. */
const idleSinceMs = 50_000;
const reportedActiveAtMs = 329_000;
const reportedAtMs = 330_000;
const activeAtMs = 500_000;
/** A cycle before the measured one. It looks at each manager for the first time, and finds all of them active. */
const earlierCycleAtMs = 610_000;
const cycleAtMs = 660_000;

/** How often a cycle is measured, each time with new managers. */
const roundsOf = (managers: number): number => (managers <= 10_000 ? 11 : 3);

type Kind = 'not open' | 'idle' | 'failed' | 'reported' | 'well';

interface Subject {
  readonly key: string;
  readonly userId: string;
  readonly threadId: string;
  readonly kind: Kind;
}

serveCase(async ({ managers, plantEach, withSketch }: VictimsInput): Promise<VictimsOutput> => {
  for (let warmUp = 0; warmUp < 20; warmUp++) await judgeMooring(populate(2_000, 100));
  const subjects = populate(managers, plantEach);
  const mustGo = whoMustGo(subjects.map(factOf), cycleAtMs);
  const ours = await judgeMooring(subjects);
  const cyclesMs = [ours.cycleMs];
  for (let round = 1; round < roundsOf(managers); round++) cyclesMs.push((await judgeMooring(subjects)).cycleMs);
  const sketch = withSketch ? judgeSketch(subjects) : null;
  return {
    managers,
    planted: hitsOf(mustGo.keys(), mustGo),
    byCycle: hitsOf(ours.byCycle, mustGo),
    byCycleAndHeartbeat: hitsOf(ours.byCycleAndHeartbeat, mustGo),
    bySketch: sketch === null ? null : hitsOf(sketch.cleaned, mustGo),
    cycleMs: median(cyclesMs),
    sketchMs: sketch?.durationMs ?? null,
  };
});

/** All managers, and what happens to each. */
function populate(managers: number, each: number): Subject[] {
  const ids = idsFor(managers);
  const halfEach = Math.ceil(each / 2);
  const plan: Kind[] = [
    ...new Array<Kind>(each).fill('not open'),
    ...new Array<Kind>(each).fill('idle'),
    ...new Array<Kind>(halfEach).fill('failed'),
    ...new Array<Kind>(each - halfEach).fill('reported'),
  ];
  const well = new Array<Kind>(managers - plan.length).fill('well');
  return shuffled([...plan, ...well], seeded(7)).map((kind, index) => {
    const { userId, threadId } = fieldsAt(ids, index);
    return { key: `${userId}:${threadId}`, userId, threadId, kind };
  });
}

/** The truth by the plan, and not by what Mooring knows. */
function factOf({ key, kind }: Subject): Fact {
  return {
    key,
    isOpen: kind !== 'not open',
    lastActivityAtMs: kind === 'idle' ? idleSinceMs : kind === 'reported' ? reportedActiveAtMs : activeAtMs,
    hasFailed: kind === 'failed',
    reportedAtMs: kind === 'reported' ? reportedAtMs : null,
  };
}

async function judgeMooring(subjects: readonly Subject[]) {
  const time = new LeapTime();
  const config = { backgroundCleanupIntervalMs: 86_400_000 };
  const mooring = createMooring({ environment: 'production', env: {}, ...config, time });
  const clients = subjects.map((subject) => connect(mooring, subject, time));
  const of = (...kinds: Kind[]): Client[] => clients.filter(({ kind }) => kinds.includes(kind));
  time.leap(idleSinceMs);
  for (const { transport } of of('idle')) transport.message();
  time.leap(reportedActiveAtMs - idleSinceMs);
  for (const { transport } of of('reported')) transport.message();
  time.leap(reportedAtMs - reportedActiveAtMs);
  for (const { connection } of of('reported')) connection.manager.reportError('planted');
  time.leap(activeAtMs - reportedAtMs);
  for (const { transport } of of('not open', 'failed', 'well')) transport.message();
  time.leap(earlierCycleAtMs - activeAtMs);
  await time.flow(() => mooring.backgroundCleanup.runCycle());
  time.leap(cycleAtMs - earlierCycleAtMs);
  for (const { connection } of of('failed')) connection.manager.fail('planted');
  for (const { transport } of of('not open')) transport.closes.push({ code: 1006, reason: 'nobody said so' });
  const judged = await judge(mooring, time);
  const stopped = mooring.stop();
  await time.leapAsync(subjects.length / 5 + 60_000);
  await stopped;
  return judged;
}

/** What one cycle releases, and what is released until the heartbeat has visited every connection once. */
async function judge(mooring: Mooring, time: LeapTime) {
  const released = new Set<string>();
  mooring.on('manager.released', ({ key }) => released.add(key));
  time.slices.length = 0;
  await time.flow(() => mooring.backgroundCleanup.runCycle());
  const cycleMs = time.slices.reduce((sum, slice) => sum + lengthOf(slice), 0);
  const byCycle = [...released];
  await time.leapAsync(mooring.config.heartbeatIntervalMs + 1_000);
  return { byCycle, byCycleAndHeartbeat: [...released], cycleMs };
}

interface Client {
  readonly kind: Kind;
  readonly connection: ManagedConnection;
  readonly transport: FakeConnection;
}

function connect(mooring: Mooring, { userId, threadId, kind }: Subject, time: LeapTime): Client {
  const outcome = mooring.decide({ userId, threadId });
  if (isPending(outcome) || outcome.refusal !== null) throw new Error('not admitted at once');
  const transport = new FakeConnection({ time });
  const { connection } = outcome.ticket.open(transport);
  if (connection === null) throw new Error('not opened');
  return { kind, connection, transport: transport.bind(connection) };
}

/** The sketch's algorithm on the same managers. */
function judgeSketch(subjects: readonly Subject[]) {
  const cleaned: string[] = [];
  const factory = new SeedFactory<SeedSocket>({
    rules: seedRules.seed,
    maxManagersPerUser: 20,
    now: () => cycleAtMs,
    onCleaned: ({ key }) => cleaned.push(key),
    managers: new ScannedManagers(),
  });
  for (const subject of subjects)
    if (factory.create(sketchManagerOf(subject)) === null) throw new Error('not admitted');
  const startedAt = performance.now();
  factory.backgroundCleanup();
  return { cleaned, durationMs: performance.now() - startedAt };
}

function sketchManagerOf(subject: Subject): SeedManager {
  const { key, isOpen, lastActivityAtMs, hasFailed, reportedAtMs } = factOf(subject);
  const socket = { isOver: !isOpen, activeAtMs: lastActivityAtMs, ping: () => undefined };
  const manager = new SeedManager({ key, userId: subject.userId, socket, createdAtMs: 0 });
  manager.hasError = hasFailed;
  manager.lastErrorAtMs = reportedAtMs;
  return manager;
}

function hitsOf(taken: Iterable<string>, mustGo: ReadonlyMap<string, Verdict>): Hits {
  const verdicts = [...taken].map((key) => mustGo.get(key));
  const count = (wanted: Verdict | undefined): number => verdicts.filter((verdict) => verdict === wanted).length;
  return { notOpen: count('not open'), idle: count('idle'), errored: count('errored'), wrong: count(undefined) };
}
