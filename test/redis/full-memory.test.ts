import { createClient } from 'redis';
import { beforeEach, describe, expect, it } from 'vitest';
import { printClaim, type StoredClaim } from '../../src/redis/claims.js';
import { keySpace, partitionOf } from '../../src/redis/partitions.js';
import { decode, type Reply } from '../../src/redis/replies.js';
import { readScripts, type ScriptName } from '../../src/redis/scripts.js';
import { startClockedRedis } from '../support/redis-server.js';
import { afterThisTest } from '../support/setup.js';

const startMs = 1_800_000_000_000;
const space = keySpace();
const partition = partitionOf('ada');
const keys = [space.meta(partition), space.epochs(partition), space.log(partition)];
const sources = readScripts();

const claimOf = (letter: string, stampMs: number): StoredClaim => ({
  processId: letter.repeat(8),
  rotation: 0,
  stampMs,
  takeovers: 0,
});
const [a, b] = [claimOf('a', startMs), claimOf('b', startMs + 5_000)];

type Run = (name: ScriptName, claim: StoredClaim, ...words: readonly string[]) => Promise<Reply>;

/** A Redis, with which two processes have registered. */
async function startQuota(): Promise<{ run: Run; fill: () => Promise<void> }> {
  const { path } = await startClockedRedis(startMs);
  const client = createClient({ socket: { path, tls: false }, RESP: 2 });
  client.on('error', () => {});
  await client.connect();
  afterThisTest(() => {
    client.destroy();
  });
  const run: Run = async (name, { processId }, ...words) => {
    const own = ['register', 'beat', 'leave'].includes(name) ? keys : [...keys, space.user('ada')];
    const head = [`${processId}00`, '1000', '5000', '60000'];
    return (await client.eval(sources[name].text, { keys: own, arguments: [...head, ...words] })) as Reply;
  };
  for (const claim of [a, b]) await run('register', claim, '20');
  return {
    run,
    fill: async () => {
      await client.configSet({ 'maxmemory-policy': 'noeviction', maxmemory: '1' });
    },
  };
}

describe.skipIf(process.env['TEST_HAS_REDIS'] === '0')('a Redis without memory', () => {
  let run: Run;
  let fill: () => Promise<void>;

  beforeEach(async () => {
    ({ run, fill } = await startQuota());
    await run('acquire', a, 't', printClaim(a), '2', '');
  });

  it('refuses to give a slot', async () => {
    await fill();
    await expect(run('acquire', b, 'u', printClaim(b), '2', '')).rejects.toThrow('OOM');
    expect(await run('verify', b, 'u', printClaim(b))).toEqual(['lost']);
  });

  it('takes a slot back', async () => {
    await fill();
    expect(decode.release(await run('release', a, 't', printClaim(a), '1'))).toEqual({ kind: 'ok', total: 0 });
  });

  it('takes the place of a successor back', async () => {
    await run('acquire', b, 't', printClaim(b), '2', '');
    await fill();
    expect(decode.release(await run('release', b, 't', printClaim(b), '1'))).toEqual({ kind: 'ok', total: 1 });
    expect(await run('verify', b, 't', printClaim(b))).toEqual(['lost']);
    expect(await run('verify', a, 't', printClaim(a))).toEqual(['held']);
  });

  it('makes the successor the holder', async () => {
    await run('acquire', b, 't', printClaim(b), '2', '');
    await fill();
    expect(decode.release(await run('release', a, 't', printClaim(a), '1'))).toEqual({ kind: 'ok', total: 1 });
    expect(await run('verify', b, 't', printClaim(b))).toEqual(['held']);
  });

  it('does not beat: time without beats counts for nobody', async () => {
    await fill();
    await expect(run('beat', a, `${a.processId}00`, '0-0')).rejects.toThrow('OOM');
  });
});
