import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collectMetrics } from '../../src/telemetry/prometheus.js';
import { harness, remote, silent } from '../core/support.js';
import { dashboardQueries } from '../support/deployed-queries.js';
import { afterThisTest } from '../support/setup.js';

const rules = join(import.meta.dirname, '../../deploy/prometheus');
const itWithPrometheus = it.skipIf(process.env['TEST_HAS_PROMETHEUS'] === '0');

/** Runs Prometheus' own checker. @returns its exit code, and what it said */
function promtool(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8', timeout: 50_000 });
  return { status, said: `${stdout}${stderr}` };
}

const fine = { status: 0 };

describe('Prometheus', () => {
  itWithPrometheus('finds nothing to say about the metrics', async () => {
    const h = harness({ config: { maxManagersPerUser: 2, maxTotalManagers: 100, journalBytes: 100_000 } });
    const collected = collectMetrics(h.mooring);
    afterThisTest(collected.end);
    await h.fill('ada', 2, silent);
    h.arrive('ada', 'thread_new', remote);
    await h.time.advance(100_000);
    const text = await collected.metrics();
    expect(text).toContain('mooring_kpi_value{kpi="emergencyCleanupTime",unit="seconds"}');
    expect(promtool(['check', 'metrics'], text)).toEqual({ status: 0, said: '' });
  });

  itWithPrometheus('reads the alerts', () => {
    expect(promtool(['check', 'rules', join(rules, 'alerts.yml')])).toMatchObject(fine);
  });

  itWithPrometheus('raises each alert when it should, and not before', () => {
    expect(promtool(['test', 'rules', join(rules, 'alerts.test.yml')])).toMatchObject(fine);
  });

  itWithPrometheus('understands every query of the dashboard', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mooring-queries-'));
    afterThisTest(() => {
      rmSync(folder, { recursive: true, force: true });
    });
    const records = dashboardQueries().map((expr, index) => ({ record: `query:${index}`, expr }));
    // JSON is YAML.
    writeFileSync(join(folder, 'queries.yml'), JSON.stringify({ groups: [{ name: 'dashboard', rules: records }] }));
    expect(promtool(['check', 'rules', join(folder, 'queries.yml')])).toMatchObject(fine);
  });
});
