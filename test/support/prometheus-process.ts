import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterThisTest } from './setup.js';

/** A sample of an instant query; the value is text, as Prometheus sends it. */
export interface PromSample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [atSeconds: number, value: string];
}

/** A target it scrapes, as far as tests look at it. */
export interface PromTarget {
  readonly labels: Readonly<Record<string, string>>;
  readonly health: 'up' | 'down' | 'unknown';
  readonly lastError: string;
}

/** A rule it has loaded, as far as tests look at it. */
export interface PromRule {
  readonly name: string;
  readonly health: 'ok' | 'err' | 'unknown';
  /** When, in ISO 8601. */
  readonly lastEvaluation: string;
  readonly state: 'inactive' | 'pending' | 'firing';
  readonly alerts: readonly { readonly labels: Readonly<Record<string, string>> }[];
}

/** A Prometheus, in a process of its own. */
export interface PrometheusProcess {
  /** What an instant query gives. @throws Error with what Prometheus says, where the query is none */
  query(query: string): Promise<readonly PromSample[]>;
  targets(): Promise<readonly PromTarget[]>;
  rules(): Promise<readonly PromRule[]>;
  /** The names of all series it has. */
  names(): Promise<readonly string[]>;
}

/** Starts it on a free port, with this configuration (JSON is YAML). It ends with the test, and its data goes. */
export async function startPrometheus(config: object): Promise<PrometheusProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-prometheus-'));
  const configFile = join(folder, 'prometheus.yml');
  writeFileSync(configFile, JSON.stringify(config));
  const places = [`--config.file=${configFile}`, `--storage.tsdb.path=${join(folder, 'data')}`];
  const child = spawn('prometheus', [...places, '--web.listen-address=127.0.0.1:0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  afterThisTest(async () => {
    child.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });
  return clientOf(await addressIn(child.stderr));
}

/** Once it is ready, it says where it listens. @throws Error with its log, where it ends before that */
async function addressIn(log: NodeJS.ReadableStream): Promise<string> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: log })) {
    lines.push(line);
    const address = /msg="Listening on" address=(\S+)/.exec(lines.join('\n'))?.[1];
    if (address === undefined || !line.includes('Server is ready')) continue;
    log.resume();
    return address;
  }
  throw new Error(`Prometheus ended:\n${lines.join('\n')}`);
}

function clientOf(address: string): PrometheusProcess {
  const ask = async (path: string): Promise<unknown> => {
    const response = await fetch(`http://${address}/api/v1/${path}`);
    const answer = (await response.json()) as { status: string; error?: string; data?: unknown };
    if (answer.status !== 'success') throw new Error(`${path}: ${answer.error ?? 'no reason given'}`);
    return answer.data;
  };
  return {
    query: async (query) => {
      const { result } = (await ask(`query?query=${encodeURIComponent(query)}`)) as { result: PromSample[] };
      return result;
    },
    targets: async () => ((await ask('targets')) as { activeTargets: PromTarget[] }).activeTargets,
    rules: async () =>
      ((await ask('rules')) as { groups: { rules: PromRule[] }[] }).groups.flatMap((each) => each.rules),
    names: async () => (await ask('label/__name__/values')) as string[],
  };
}
