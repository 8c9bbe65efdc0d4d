import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis } from './redis-server.js';
import { afterThisTest } from './setup.js';
import { startShared, temporaryFolder, type SharedProcess, type SharedSetup } from './shared-process.js';
import { judge, readHistory, type SlotEvent, type Verdict } from './slot-history.js';

/** What a deploy has shown. */
export interface DeployResult {
  readonly clients: number;
  readonly verdict: Verdict;
  /** Everybody who was refused, for whatever cause, by a server that did not drain. */
  readonly refused: readonly SlotEvent[];
  /** How many times a client was told to go elsewhere. */
  readonly moves: number;
  /** How many times a client found a server that was just ending. */
  readonly unreachable: number;
  /** How clients ended that were not told so. */
  readonly ended: readonly string[];
  /** How long it took, after each stop, until everybody was in again, in milliseconds. */
  readonly backMs: readonly number[];
}

/** What the clients of a process say. */
interface Counts {
  readonly inside: number;
  readonly moves: number;
  readonly unreachable: number;
  readonly ended: readonly string[];
}

const servers = 4;
const limit = 20;

/** How long everybody has to be in again after a stop, in milliseconds, before the deploy is given up. */
const patienceMs = 30_000;

/** Stops and starts each of four servers in turn, under clients that come back at once. Each user has 20 of 20. */
export async function playRollingDeploy(clients: number): Promise<DeployResult> {
  const redis = await startRedis();
  const folder = temporaryFolder();
  const started: { readonly name: string; readonly server: SharedProcess }[] = [];
  const launch = async (port: number): Promise<{ server: SharedProcess; port: number }> => {
    const name = `server-${started.length}`;
    const settings = { environment: 'production', maxManagersPerUser: limit };
    const setup: SharedSetup = { redisUrl: redis.url, settings, logFile: join(folder, `${name}.log`) };
    const server = await startShared('shared-server', setup, { port });
    started.push({ name, server });
    return { server, port: (await server.hears('ready')).port };
  };
  const now = [];
  for (let index = 0; index < servers; index += 1) now.push(await launch(0));
  const crowds = await gather(
    now.map(({ port }) => port),
    clients,
  );
  const backMs: number[] = [];
  for (const { server, port } of now) {
    await crowds.tell({ down: port });
    const stoppedAtMs = performance.now();
    await server.stop();
    await crowds.allInside(clients);
    backMs.push(performance.now() - stoppedAtMs);
    await launch(port);
    await crowds.tell({ again: port });
  }
  const { moves, unreachable, ended } = await crowds.tell({});
  const events = started.flatMap(({ name, server }) => readHistory(name, server.logFile));
  return {
    clients,
    verdict: judge(events, [], { limit, beatMs: 1_000, nodeTimeoutMs: 5_000 }),
    refused: events.filter(({ what, why }) => what === 'refuse' && why !== 'drain'),
    moves,
    unreachable,
    ended,
    backMs,
  };
}

/** @returns the clients, when all are in */
async function gather(ports: readonly number[], clients: number) {
  const children: ChildProcess[] = [];
  const each = Math.ceil(clients / 2);
  for (const first of [0, each]) {
    const count = Math.min(each, clients - first);
    const fleet = { ports, first, count, users: clients / limit, atOnce: 100 };
    const file = join(import.meta.dirname, 'shared-clients.mjs');
    const child = fork(file, [JSON.stringify(fleet)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const exited = once(child, 'exit');
    afterThisTest(async () => {
      child.kill('SIGKILL');
      await exited;
    });
    children.push(child);
  }
  await Promise.all(children.map((child) => once(child, 'message')));
  const tell = async (order: { readonly down?: number; readonly again?: number }): Promise<Counts> => {
    const answers = children.map(async (child) => {
      const answered = once(child, 'message');
      child.send(order);
      const [counts] = (await answered) as [Counts];
      return counts;
    });
    const all = await Promise.all(answers);
    const sum = (of: (counts: Counts) => number): number => all.reduce((total, counts) => total + of(counts), 0);
    return {
      inside: sum(({ inside }) => inside),
      moves: sum(({ moves }) => moves),
      unreachable: sum(({ unreachable }) => unreachable),
      ended: all.flatMap(({ ended }) => ended),
    };
  };
  const allInside = async (count: number): Promise<void> => {
    const untilMs = performance.now() + patienceMs;
    for (;;) {
      const { inside, ended } = await tell({});
      if (inside === count) return;
      if (performance.now() > untilMs)
        throw new Error(`${inside} of ${count} are in; ended: ${ended.slice(0, 5).join(', ')}`);
      await sleep(20);
    }
  };
  return { tell, allInside };
}

/** What a deploy has shown, as a table. */
export function deployTable({ clients, verdict, refused, moves, unreachable, ended, backMs }: DeployResult): string {
  const rows: readonly (readonly [string, string | number])[] = [
    ['clients, each user at 20 of 20', clients],
    ['moved to another server', moves],
    ['refused', refused.length],
    ['beyond the limit', verdict.over.length],
    ['found a server that was ending', unreachable],
    ['closed for another reason', ended.length],
    ['all in again after a stop, in ms', backMs.map((ms) => ms.toFixed(0)).join(', ')],
  ];
  return ['| rolling deploy | |', '|---|--:|', ...rows.map(([what, value]) => `| ${what} | ${value} |`)].join('\n');
}
