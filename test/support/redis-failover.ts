import { setTimeout as sleep } from 'node:timers/promises';
import { operatorOf, type Operator } from './redis-operator.js';
import { startRedis } from './redis-server.js';
import { relayTo } from './relay.js';

/** A Redis with a replica, behind an address that leads to the one that is promoted. */
export interface FailoverRedis {
  readonly url: string;
  readonly port: number;
  /** Of the master, until the replica is promoted. */
  readonly master: Operator;
  readonly replica: Operator;
  /** Resolves when the replica has all that the master was told until now. @throws Error if that takes 10 s */
  caughtUp(): Promise<void>;
  /** From now on the replica gets nothing of what the master is told. */
  lose(): void;
  /** The master is killed and the replica promoted. Resolves when the address leads there. */
  promote(): Promise<void>;
}

/** Both end with the test. @param aheadMs how far the clock of the replica is ahead, in milliseconds */
export async function startFailoverRedis(aheadMs = 0): Promise<FailoverRedis> {
  const [first, second] = [await startRedis(), await startRedis({ aheadMs })];
  const [front, behind] = [await relayTo(first.port), await relayTo(first.port)];
  const [master, replica] = [await operatorOf(first), await operatorOf(second)];
  await replica.replicaOf('127.0.0.1', behind.port);
  while (!(await replica.info('replication')).includes('master_link_status:up')) await sleep(50);
  return {
    url: `redis://127.0.0.1:${front.port}`,
    port: front.port,
    master,
    replica,
    caughtUp: async () => {
      // Redis waits only for what the same connection wrote, and for what came before that.
      await master.set('written-last', '1');
      if (Number(await master.sendCommand(['WAIT', '1', '10000'])) !== 1)
        throw new Error('the replica has not caught up');
    },
    lose: () => {
      behind.cut();
    },
    promote: async () => {
      await first.kill();
      await replica.sendCommand(['REPLICAOF', 'NO', 'ONE']);
      front.cut(second.port);
    },
  };
}
