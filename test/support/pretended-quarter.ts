import type { Page } from 'playwright-core';
import type { KpisView, Overview, Sample } from '../../src/admin/schemas.js';
import { releaseReasons, type ReleaseReason } from '../../src/core/vocabulary.js';
import { tallyOf } from './tally.js';

const samplesOfQuarter = 180;
const sampleMs = 5_000;

/** How many samples lie between two cycles of the background cleanup. */
const cycleSamples = 12;

/** From here on somebody can have been left alone for long enough to be abandoned: ten minutes, in production. */
const firstIdleSample = 120;

/** When a user's places run out: three have to wait, and two of them in vain. */
const rushes: readonly number[] = [44, 91, 138, 163];

/** Without chance, and without a pattern the eye would find. */
function noise(i: number): number {
  const wild = Math.sin(i * 12.9898) * 43_758.5453;
  return wild - Math.floor(wild);
}

/** What a cycle of the background cleanup finds: the dead, and later the abandoned as well. */
function foundAt(i: number): number {
  if (i % cycleSamples !== 7) return 0;
  return Math.round(i < firstIdleSample ? 1 + noise(i) : 8 + 5 * noise(i));
}

/**
 * A server's first quarter of an hour, which no test waits for: it fills up, lives, and ends with what is really there.
 * As many are there as were admitted and not released, in every sample.
 */
function samplesUntil(now: number, managers: number): Sample[] {
  const heldAt = (i: number): number => {
    const filled = 1 - Math.exp(-(i + 1) / 20);
    const wave = (Math.sin(i / 14) + Math.sin(i / 5) / 3) * Math.sin((Math.PI * (i + 1)) / samplesOfQuarter);
    return i < 0 ? 0 : Math.round(managers * filled * (1 + wave / 14));
  };
  const last = samplesOfQuarter - 1;
  const held = (i: number): number => (i === last ? managers : heldAt(i));
  return Array.from({ length: samplesOfQuarter }, (_, i) => {
    const isRush = rushes.includes(i);
    const cleaned = foundAt(i) + (isRush ? 2 : 0);
    const gained = held(i) - held(i - 1);
    const released = Math.max(-gained, Math.round((2 + 5 * noise(i + 0.5)) * Math.min(1, i / 40))) + cleaned;
    return {
      at: new Date(now - (last - i) * sampleMs).toISOString(),
      managers: held(i),
      waiting: isRush ? 3 : 0,
      admitted: gained + released,
      takenOver: Math.floor(2.6 * noise(i + 0.25) ** 2),
      refused: isRush ? 2 : 0,
      released,
      cleaned,
      longestEmergencyMs: isRush ? Math.round(1_000 + 2_100 * noise(i)) : null,
    };
  });
}

function sumOf(
  samples: readonly Sample[],
  name: 'admitted' | 'takenOver' | 'refused' | 'released' | 'cleaned',
): number {
  return samples.reduce((sum, sample) => sum + sample[name], 0);
}

const reasons = Object.keys(releaseReasons) as ReleaseReason[];
const noReleases = Object.fromEntries(reasons.map((reason) => [reason, 0])) as Record<ReleaseReason, number>;

/** The sums of the samples, by why. Of the dead, half were found by a cleanup and half by the heartbeat. A rush finds one of them, and evicts one. */
function totalsOf(samples: readonly Sample[]): Overview['totals'] {
  const [cleaned, admitted, takenOver] = [
    sumOf(samples, 'cleaned'),
    sumOf(samples, 'admitted'),
    sumOf(samples, 'takenOver'),
  ];
  const oldest = rushes.length;
  const disconnected = samples.slice(0, firstIdleSample).reduce((sum, _, i) => sum + foundAt(i), rushes.length);
  const byStrategy = tallyOf({ disconnected, error: 3, oldest, idle: cleaned - disconnected - 3 - oldest });
  const others = { disconnected: 2 * disconnected, idle: byStrategy.idle, error: 3, evicted: oldest };
  const gone = Object.values(others).reduce((sum, one) => sum + one, 0);
  const released = { ...noReleases, ...others, closed: sumOf(samples, 'released') - gone };
  return { admitted, takenOver, refused: { quota: sumOf(samples, 'refused') }, released, cleaned: byStrategy };
}

/** What the success metrics would say of that. */
function kpisOf(view: KpisView, samples: readonly Sample[], { released, refused, admitted }: Overview['totals']) {
  const wanted = Math.round(0.7 * admitted); // minutes of users, in some of which several came
  const longest = Math.max(...samples.map(({ longestEmergencyMs }) => longestEmergencyMs ?? 0));
  const measured: Partial<Record<KpisView['kpis'][number]['name'], readonly [value: number, samples: number]>> = {
    emergencyCleanupTime: [longest, 4 * rushes.length],
    backgroundEffectiveness: [1, released.idle],
    accumulation: [0, samplesOfQuarter / cycleSamples],
    connectionSuccess: [1 - rushes.length / wanted, wanted],
    wrongRefusals: [0, refused['quota'] ?? 0],
    falseKills: [0, released.disconnected],
  };
  const kpis = view.kpis.map((kpi) => {
    const [value, count] = measured[kpi.name] ?? [kpi.value, kpi.samples];
    return { ...kpi, value, samples: count, verdict: 'pass' as const };
  });
  return { ...view, kpis, window: { ...view.window, durationMs: samplesOfQuarter * sampleMs, isSinceStart: true } };
}

/**
 * Lets a server with fake connections look as if it had been up for a quarter of an hour: charts, totals and metrics
 * are made up, of one piece, and end in the managers and users that are really there.
 */
export async function pretendQuarter(page: Page, managers: number): Promise<void> {
  const now = Date.now();
  const samples = samplesUntil(now, managers);
  const totals = totalsOf(samples);
  await page.route('**/api/v1/overview', async (route) => {
    const response = await route.fetch();
    const overview = (await response.json()) as Overview;
    const startedAt = new Date(Date.parse(overview.now) - samplesOfQuarter * sampleMs).toISOString();
    await route.fulfill({ response, json: { ...overview, samples, totals, startedAt } satisfies Overview });
  });
  await page.route('**/api/v1/kpis', async (route) => {
    const response = await route.fetch();
    const kpis = (await response.json()) as KpisView;
    await route.fulfill({ response, json: kpisOf(kpis, samples, totals) satisfies KpisView });
  });
}
