import type { QuotaLedger } from '../../core/quota/quota-ledger.js';
import { describe } from '../../core/errors.js';
import { redisLedger, type RedisClient } from '../../redis/index.js';
import { inspectRedis } from '../../redis/inspect.js';
import type { Logger } from '../../telemetry/log.js';
import { CommandError, exitCodes } from '../command-error.js';

/** The flags of a shared quota. */
export interface RedisFlags {
  /** The URL of the Redis that counts for all servers. @default each server counts for itself */
  readonly redis?: string | undefined;
  readonly redisPrefix?: string | undefined;
}

/**
 * The ledger of `--redis`, if that is given. A Redis that cannot be reached now is only warned of, since servers must start
 * without it; one that can never do is refused.
 * @throws CommandError
 */
export async function sharedQuota(flags: RedisFlags, logger: Logger): Promise<QuotaLedger | undefined> {
  const { redis: url, redisPrefix: prefix } = flags;
  if (url === undefined || url === '') return undefined;
  const client = await redisClient(url, '--redis');
  const ledger = made(() => redisLedger(client, { prefix }));
  const findings = await inspectRedis(client, { prefix });
  for (const { isFatal, text } of findings.problems) {
    if (isFatal) throw new CommandError(`--redis ${withoutPassword(url)}: ${text}`, exitCodes.usage);
    logger.warn({ redis: withoutPassword(url) }, text);
  }
  return ledger;
}

/** A client that is not connected. @param flag that gave the URL @throws CommandError if that is wrong */
export async function redisClient(url: string, flag: '--redis' | '--ledger'): Promise<RedisClient> {
  if (!/^rediss?:\/\//.test(url) || !URL.canParse(url)) {
    const wanted = 'wanted a URL such as redis://127.0.0.1:6379 or rediss://user:password@redis.example.com:6380';
    throw new CommandError(`${flag}: got "${withoutPassword(url)}", ${wanted}`, exitCodes.usage);
  }
  const { createClient } = await import('redis');
  return createClient({ url });
}

function made<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new CommandError(`--redis-prefix: ${describe(error)}`, exitCodes.usage, { cause: error });
  }
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/([^@/]*)@/, '//…@');
}
