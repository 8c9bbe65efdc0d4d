import { bytes } from '../../presentation/figures.js';
import { inert, inertJson } from '../../presentation/inert.js';
import { inspectRedis, type RedisFindings } from '../../redis/inspect.js';
import { CommandError, exitCodes } from '../command-error.js';
import { redisClient } from '../server/redis-quota.js';
import { aligned } from '../terminal/table.js';

/** The flags of `mooring check --ledger`. */
export interface LedgerFlags {
  /** `true` if no URL was given. */
  readonly ledger?: string | true;
  readonly redisPrefix?: string;
  readonly json?: boolean;
}

/** Looks whether a Redis can carry a shared quota, and prints what it found. Exits with 1 if it cannot. @throws CommandError */
export async function checkLedger({ ledger, redisPrefix: prefix, json = false }: LedgerFlags): Promise<void> {
  const url = typeof ledger === 'string' ? ledger : (process.env['MOORING_REDIS_URL'] ?? '');
  if (url === '')
    throw new CommandError('--ledger: give the URL of a Redis, or set MOORING_REDIS_URL', exitCodes.usage);
  const findings = await inspectRedis(await redisClient(url, '--ledger'), { prefix });
  process.stdout.write(json ? `${inertJson(JSON.stringify(findings, null, 2))}\n` : tell(findings, url));
  process.exitCode = findings.problems.length > 0 ? exitCodes.trouble : exitCodes.ok;
}

function tell(findings: RedisFindings, url: string): string {
  const { version, runsScripts, clockAheadMs, problems } = findings;
  const rows = [
    ['version', version ?? 'unknown'],
    ['scripts', runsScripts ? 'run, with the permissions of this user' : 'do not run'],
    ['when full', fullOf(findings)],
    ['connection', url.startsWith('rediss:') ? 'encrypted' : 'not encrypted'],
    ['clock', clockAheadMs === null ? 'unknown' : `${clockOf(clockAheadMs)}; nothing depends on it`],
  ];
  const verdict = problems.length === 0 ? ['It can carry a shared quota.'] : problems.map(({ text }) => text);
  return `${aligned(rows.map((row) => row.map(inert)))}${verdict.map((line) => `${inert(line)}\n`).join('')}`;
}

function fullOf({ evictionPolicy, maxMemory }: RedisFindings): string {
  if (evictionPolicy === null || maxMemory === null) return 'unknown';
  return maxMemory === 0 ? 'no limit of its own (maxmemory 0)' : `${evictionPolicy}, at ${bytes(maxMemory)}`;
}

function clockOf(aheadMs: number): string {
  if (Math.abs(aheadMs) < 100) return 'as on this machine';
  return `${Math.abs(aheadMs)} ms ${aheadMs > 0 ? 'ahead of' : 'behind'} this machine`;
}
