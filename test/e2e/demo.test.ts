import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { AdminClient } from '../../src/cli/commands/admin-client.js';
import type { Told } from '../../src/presentation/fields.js';
import type { KpisView } from '../../src/admin/schemas.js';
import { people } from '../../src/demo/people.js';
import { gone, startDemo } from '../support/demo-process.js';

const healthy = ['alice', 'bob', 'carol', 'dave'];

/** What the journals say of everybody, from the start on: read so often that none has forgotten what was not read yet. */
class Witness {
  readonly #client: AdminClient;
  readonly #seen = new Map<string, Map<string, Told>>();

  constructor(adminUrl: string) {
    this.#client = new AdminClient({ url: adminUrl });
  }

  get entries(): Told[] {
    return [...this.#seen.values()].flatMap((entries) => [...entries.values()]);
  }

  count(fits: (entry: Told) => boolean): number {
    return this.entries.filter(fits).length;
  }

  async look(): Promise<void> {
    for (const userId of Object.keys(people)) await this.#read(userId);
  }

  /** Reads until each of these has been seen. @throws Error that names those that have not, after two minutes */
  async sees(wanted: Readonly<Record<string, (entry: Told) => boolean>>): Promise<void> {
    const untilMs = performance.now() + 120_000;
    for (;;) {
      await this.look();
      const missing = Object.keys(wanted).filter((name) => !this.entries.some((entry) => wanted[name]?.(entry)));
      if (missing.length === 0) return;
      if (performance.now() > untilMs) throw new Error(`not seen: ${missing.join('; ')}`);
      await sleep(500);
    }
  }

  kpis(): Promise<KpisView> {
    return this.#client.kpis();
  }

  async #read(userId: string): Promise<void> {
    const seen = this.#seen.get(userId) ?? new Map<string, Told>();
    const { entries } = await this.#client.journal(userId).catch((error: unknown) => {
      // Whoever has not come yet has no journal.
      if (seen.size === 0 && /no user|not known|nothing/i.test(String(error))) return { entries: [] };
      throw error;
    });
    for (const entry of entries) seen.set(JSON.stringify(entry), entry);
    this.#seen.set(userId, seen);
  }
}

/** A demo whose people are there. */
async function underWay() {
  const demo = await startDemo();
  await demo.hears(/ida-idle +opens/);
  return { demo, people: demo.populationPid() };
}

type Fields = Readonly<Record<string, unknown>>;

/** An entry that has these fields. */
const entry =
  (type: string, fields: Fields = {}) =>
  (said: Told): boolean =>
    said.type === type && Object.entries(fields).every(([name, value]) => said[name] === value);

const rise = (level: string) => entry('level.changed', { level, direction: 'rise' });
const release = (userId: string, fields: Fields) => entry('manager.released', { userId, ...fields });

const steps = {
  'the level info': rise('info'),
  'the level warning': rise('warning'),
  'the level critical': rise('critical'),
  'the level emergency': rise('emergency'),
  'silent, found by the heartbeat': release('sam-sleeper', { reason: 'disconnected', by: 'heartbeat' }),
  'silent, found as somebody waited': release('phil-phone', { reason: 'disconnected', by: 'admission' }),
  'somebody got in after waiting': (said: Told) =>
    said.type === 'manager.admitted' && said['userId'] === 'phil-phone' && Number(said['waitedMs']) > 0,
  'unused, found by the rising level': release('pat-piler', { reason: 'idle', by: 'level' }),
  'unused, found in the background': release('ida-idle', { reason: 'idle', by: 'background' }),
  'the one left alone longest': release('hugo-heavy', { reason: 'evicted', by: 'admission' }),
  'a connection that was said to be broken': release('gus-glitch', { reason: 'error', by: 'background' }),
  'a crash': release('carl-crash', { reason: 'closed' }),
  'a refusal, as all were in use': entry('admission.refused', { userId: 'greta-greedy', closeCause: 'quota' }),
  'a takeover': entry('connection.replaced', { userId: 'tess-twice' }),
  'a fight that was settled': entry('admission.refused', { userId: 'tess-twice', closeCause: 'contested' }),
};

const isRun = (said: Told): boolean =>
  said.type === 'cleanup.completed' && ['admission', 'request'].includes(String(said['trigger']));
const isAlert = (said: Told): boolean =>
  said.type === 'level.changed' && ['warning', 'critical', 'emergency'].includes(String(said['level']));

/** What the metrics count, counted in the journals. */
function counted(witness: Witness): Readonly<Record<string, number>> {
  const { entries } = witness;
  return {
    runs: witness.count(isRun),
    waits: witness.count((said) => said.type === 'manager.admitted' && Number(said['waitedMs']) > 0),
    releasedAsIdle: witness.count(entry('manager.released', { reason: 'idle' })),
    alerted: new Set(entries.filter(isAlert).map((said) => said['userId'])).size,
    refusals: witness.count((said) => said.type === 'admission.refused' && typeof said['ahead'] === 'number'),
    dead: witness.count(entry('manager.released', { reason: 'disconnected' })),
    falseKills: witness.count(entry('connection.answeredLate')),
  };
}

function measured({ kpis }: KpisView): Readonly<Record<string, number | null | undefined>> {
  const of = Object.fromEntries(kpis.map((kpi) => [kpi.name, kpi]));
  return {
    runs: of['emergencyCleanupTime']?.detail['runs'],
    waits: of['emergencyCleanupTime']?.detail['waits'],
    releasedAsIdle: of['backgroundEffectiveness']?.detail['releasedAsIdle'],
    alerted: of['alertFrequency']?.detail['alerted'],
    refusals: of['wrongRefusals']?.samples,
    dead: of['falseKills']?.samples,
    falseKills: of['falseKills']?.value,
  };
}

describe('mooring demo', () => {
  it('shows every step of the ladder, and metrics that the journals account for', async () => {
    const demo = await startDemo();
    const witness = new Witness(demo.adminUrl);
    await witness.sees(steps);

    // Nothing stands still meanwhile: what the metrics say lies between the journals before and after.
    const before = counted(witness);
    const report = await witness.kpis();
    await witness.look();
    const after = counted(witness);
    const values = measured(report);
    expect(Object.keys(values).filter((name) => !isBetween(values[name], before[name], after[name]))).toEqual([]);

    expect(report.window).toMatchObject({ lengthMs: 300_000, isSinceStart: true });
    expect(report.kpis.filter(({ value }) => value === null)).toEqual([]);
    const verdicts = Object.fromEntries(report.kpis.map(({ name, verdict }) => [name, verdict]));
    expect(verdicts).toMatchObject({
      emergencyCleanupTime: 'pass',
      backgroundEffectiveness: 'pass',
      alertFrequency: 'fail',
      accumulation: 'pass',
      wrongRefusals: 'pass',
      falseKills: 'pass',
    });
    expect(report.kpis[2]?.detail).toEqual({ users: 13, alerted: 4 });
    expect(witness.entries.filter((said) => isHealthyClosed(said))).toEqual([]);
    await demo.hears(/greta-greedy +2 are refused: .*1013 quota;retry=\d+\.\d\d;max=20/);
    await demo.hears(/ida-idle +her 6 tabs were closed: 6 × 4408 idle/);
  }, 180_000);

  it.each(['SIGINT', 'SIGTERM'] as const)('ends with 0 by %s, and nobody stays behind', async (signal) => {
    const { demo, people } = await underWay();
    process.kill(demo.pid, signal);
    expect(await demo.exited).toEqual({ code: 0, signal: null });
    await gone(people);
    expect(demo.lines.at(-1)).toMatch(new RegExp(`^${signal}: closing \\d+ connections`));
  });

  it('ends with 0 by a Ctrl-C that its people get as well, as from a terminal', async () => {
    const { demo, people } = await underWay();
    process.kill(people, 'SIGINT');
    process.kill(demo.pid, 'SIGINT');
    expect(await demo.exited).toEqual({ code: 0, signal: null });
    await gone(people);
  });

  it('ends though its people were stopped', async () => {
    const { demo, people } = await underWay();
    process.kill(people, 'SIGSTOP');
    process.kill(demo.pid, 'SIGINT');
    expect(await demo.exited).toEqual({ code: 0, signal: null });
    await gone(people);
  });

  it('leaves nobody behind when it is killed', async () => {
    const demo = await startDemo();
    await demo.hears(/sam-sleeper +closes the lid/);
    const people = demo.populationPid();
    process.kill(demo.pid, 'SIGKILL');
    await demo.exited;
    await gone(people);
  });

  it('says so, and ends with 1, when its people are gone', async () => {
    const demo = await startDemo();
    await demo.hears(/ida-idle +opens/);
    process.kill(demo.populationPid(), 'SIGKILL');
    expect(await demo.exited).toEqual({ code: 1, signal: null });
    expect(demo.lines.at(-1)).toBe('The people are gone (SIGKILL), and so the demo ends.');
  });

  it('takes settings, and says that the people are made for others', async () => {
    const demo = await startDemo(['--set', 'idleManagerTimeout=50s']);
    const { settings } = await new AdminClient({ url: demo.adminUrl }).config();
    expect(settings['idleManagerTimeoutMs']).toMatchObject({ value: 50_000, source: 'flag' });
    expect(settings['heartbeatIntervalMs']).toMatchObject({ value: 5_000 });
    await demo.hears(/^Other than the people are made for: idleManagerTimeout=50s$/);
  });
});

function isBetween(value: number | null | undefined, least = NaN, most = NaN): boolean {
  return typeof value === 'number' && value >= least && value <= most;
}

function isHealthyClosed(said: Told): boolean {
  return said.type === 'manager.released' && healthy.includes(String(said['userId']));
}
