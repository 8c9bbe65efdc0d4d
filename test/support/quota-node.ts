import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { expect, vi } from 'vitest';
import { createMooring, type Mooring, type MooringOptions } from '../../src/index.js';
import { redisLedger, type RedisClient } from '../../src/redis/index.js';
import { FakeConnection } from '../../src/testing/index.js';
import { afterThisTest } from './setup.js';

/** Both packages, at their defaults. */
export const redisClients: readonly (readonly [name: string, make: (url: string) => RedisClient])[] = [
  ['redis', (url) => createClient({ url })],
  ['ioredis', (url) => new Redis(url, { lazyConnect: true })],
];

/** A process that shares a quota on a real Redis. Its managers have connections without sockets, which answer. */
export class QuotaNode {
  readonly mooring: Mooring;
  /** By thread of a user, the connection that was opened last. */
  readonly open = new Map<string, FakeConnection>();
  /** Reasons of all releases that the test did not ask for. */
  readonly lost: string[] = [];
  readonly #closing = new Set<string>();

  constructor(client: RedisClient, options: MooringOptions = {}) {
    this.mooring = createMooring({ ledger: redisLedger(client), env: {}, environment: 'production', ...options });
    this.mooring.on('manager.released', ({ userId, threadId, reason }) => {
      if (!this.#closing.delete(`${userId} ${threadId}`)) this.lost.push(`${userId} ${threadId} ${reason}`);
    });
    afterThisTest(async () => {
      for (const key of this.open.keys()) this.#closing.add(key);
      await this.mooring.stop();
    });
  }

  /** Resolves when the ledger can be asked. */
  async up(): Promise<this> {
    await vi.waitFor(() => expect(this.mooring.ledgerStatus?.state).toBe('up'), { timeout: 10_000, interval: 10 });
    return this;
  }

  /** @returns why it was refused; `null` if it is in */
  async admit(userId: string, threadId: string): Promise<string | null> {
    const transport = new FakeConnection();
    const { connection, refusal } = await this.mooring.connect(transport, { userId, threadId });
    if (connection === null) return refusal.closeCause;
    this.open.set(`${userId} ${threadId}`, transport.bind(connection));
    return null;
  }

  /** The client closes its connection. */
  close(userId: string, threadId: string): void {
    const key = `${userId} ${threadId}`;
    this.#closing.add(key);
    this.open.get(key)?.vanish();
    this.open.delete(key);
  }

  /** User and thread of everything that it holds. */
  get held(): string[] {
    return [...this.mooring.users()].flatMap((userId) =>
      this.mooring.managersOf(userId).map(({ threadId }) => `${userId} ${threadId}`),
    );
  }
}

/** Does something for each, so many at once. */
export async function forEachOf<T>(
  items: readonly T[],
  atOnce: number,
  act: (item: T) => Promise<unknown>,
): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await act(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
