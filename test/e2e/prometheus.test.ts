import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startCrowd } from '../support/crowd.js';
import { alertNames, alertsFile, alertsText, dashboardQueries, selectorsIn } from '../support/deployed-queries.js';
import { startMooring, type MooringProcess } from '../support/mooring-process.js';
import { startPrometheus, type PrometheusProcess } from '../support/prometheus-process.js';
import { afterThisTest } from '../support/setup.js';

const itWithPrometheus = it.skipIf(process.env['TEST_HAS_PROMETHEUS'] === '0');

const token = 'a-token-of-prometheus-alone';
const refusals = 'mooring_admin_refusals_total{job="mooring", status="401"}';
const patience = { timeout: 30_000, interval: 100 };

/** A server whose admin API wants a token, and a Prometheus that has it, and the rules we deploy. */
interface Scraped {
  readonly server: MooringProcess;
  readonly prometheus: PrometheusProcess;
  readonly metricsUrl: string;
}

async function startScraped(): Promise<Scraped> {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-tokens-'));
  afterThisTest(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const [tokensFile, tokenFile] = [join(folder, 'tokens.json'), join(folder, 'token')];
  writeFileSync(tokensFile, JSON.stringify([{ name: 'prometheus', scope: 'read', token }]));
  writeFileSync(tokenFile, token);
  const server = await startMooring(['--admin-token-file', tokensFile]);
  const adminUrl = new URL(await server.adminUrl());
  const statics = { static_configs: [{ targets: [adminUrl.host] }] };
  const prometheus = await startPrometheus({
    global: { scrape_interval: '500ms', evaluation_interval: '500ms' },
    rule_files: [alertsFile],
    scrape_configs: [
      { job_name: 'mooring', authorization: { credentials_file: tokenFile }, ...statics },
      { job_name: 'without-token', ...statics },
    ],
  });
  return { server, prometheus, metricsUrl: new URL('/metrics', adminUrl).href };
}

/** Opens so many threads of a user. */
async function connect({ server }: Scraped, threads: number): Promise<void> {
  const crowd = await startCrowd();
  await crowd.settleAll(
    Array.from({ length: threads }, (_, i) => `${server.url}/?user_id=ada&thread_id=thread_${i + 1}`),
  );
}

/** The one value of a query, once it has one. */
async function valueOf({ prometheus }: Scraped, query: string): Promise<number | null> {
  const [sample] = await prometheus.query(query);
  return sample === undefined ? null : Number(sample.value[1]);
}

describe('a Prometheus that scrapes mooring serve', () => {
  itWithPrometheus('with the token sees who is connected; without it, nothing', async () => {
    const scraped = await startScraped();
    await connect(scraped, 12);
    const current = (query: string) => expect.poll(() => valueOf(scraped, query), patience);
    await current('up{job="mooring"}').toBe(1);
    await current('mooring_managers{job="mooring"}').toBe(12);
    await current('mooring_admissions_total{job="mooring"}').toBe(12);
    await current('mooring_users_at_level{job="mooring", level="warning"}').toBe(1);
    await current('up{job="without-token"}').toBe(0);
    await expect.poll(() => valueOf(scraped, refusals), patience).toBeGreaterThan(0);
    const targets = await scraped.prometheus.targets();
    expect(targets.find(({ labels }) => labels['job'] === 'without-token')?.lastError).toContain('401');
    expect(await scraped.prometheus.query('mooring_managers{job="without-token"}')).toEqual([]);
  });

  itWithPrometheus('loads every alert, and can evaluate it on what it scraped', async () => {
    const scraped = await startScraped();
    await connect(scraped, 1);
    await expect.poll(() => valueOf(scraped, 'mooring_kpi_pass{kpi="connectionSuccess"}'), patience).toBe(1);
    const scrapedAt = new Date();
    const rules = async () => {
      const loaded = await scraped.prometheus.rules();
      const since = loaded.filter(({ lastEvaluation }) => new Date(lastEvaluation) > scrapedAt);
      return since.map(({ name, health, state }) => [name, health, state]).sort();
    };
    const fine = alertNames.map((name) => [name, 'ok', 'inactive']).sort();
    await expect.poll(rules, patience).toEqual(fine);
  });

  itWithPrometheus('has every series that alerts and dashboard ask for, and answers every query of it', async () => {
    const scraped = await startScraped();
    await connect(scraped, 1);
    await expect.poll(() => valueOf(scraped, 'mooring_kpi_pass{kpi="connectionSuccess"}'), patience).toBe(1);
    const names = await scraped.prometheus.names();
    // There is no shared quota.
    const isThere = (name: string): boolean => name !== 'mooring_ledger_state';
    const asked = selectorsIn([alertsText, ...dashboardQueries()].join('\n'))
      .map(({ name }) => name)
      .filter(isThere);
    expect(asked.length).toBeGreaterThan(50);
    expect(asked.filter((name) => !names.includes(name))).toEqual([]);
    for (const query of dashboardQueries()) await scraped.prometheus.query(query);
  });

  itWithPrometheus('gets a text its own checker has nothing to say about', async () => {
    const scraped = await startScraped();
    await connect(scraped, 3);
    const answer = await fetch(scraped.metricsUrl, { headers: { authorization: `Bearer ${token}` } });
    const input = await answer.text();
    expect([answer.status, input.includes('\nmooring_managers 3\n')]).toEqual([200, true]);
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
    expect({ status, said: `${stdout}${stderr}` }).toEqual({ status: 0, said: '' });
  });

  itWithPrometheus('raises MooringDown, for the job mooring alone, when the server is gone', async () => {
    const scraped = await startScraped();
    await expect.poll(() => valueOf(scraped, 'up{job="mooring"}'), patience).toBe(1);
    process.kill(scraped.server.pid, 'SIGTERM');
    await scraped.server.exited;
    const isDown = async () => (await scraped.prometheus.rules()).find(({ name }) => name === 'MooringDown');
    await expect.poll(isDown, patience).toMatchObject({ state: 'pending', alerts: [{ labels: { job: 'mooring' } }] });
  });
});
