import type { QuotaLedger } from '../core/quota/quota-ledger.js';
import { OwnConnection, checkClient, type RedisClient } from './redis-client.js';
import { RedisLedger, type RedisLedgerOptions } from './redis-ledger.js';

export type { IoRedisClient, NodeRedisClient, RedisClient } from './redis-client.js';
export type { RedisLedgerOptions } from './redis-ledger.js';

/**
 * One quota for all processes that share a Redis, version 7.0 or newer: a user's limit holds for all of them together. If
 * Redis cannot be asked, the limit holds in each process by itself, or newcomers are refused (setting `failOpen`).
 *
 * The ledger makes a connection of its own with the options of the given client, which need not be connected. One ledger
 * is for one Mooring. Experimental.
 *
 * @example
 * import { createClient } from 'redis';
 * const mooring = createMooring({ ledger: redisLedger(createClient({ url: 'redis://localhost' })) });
 * @param client of the package `redis` or `ioredis`, version 5 or 6
 * @throws TypeError if it is none, if it puts a `keyPrefix` before keys, or if an option is wrong
 */
export function redisLedger(client: RedisClient, options?: RedisLedgerOptions): QuotaLedger {
  checkClient(client);
  return new RedisLedger((onReady) => new OwnConnection(client, onReady), options);
}
