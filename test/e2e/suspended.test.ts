import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startCrowd } from '../support/crowd.js';
import { endedOf, recordFault } from '../support/faults.js';
import { startMooring } from '../support/mooring-process.js';

describe('a server that is suspended for twice the idle timeout', () => {
  it('takes nobody for idle or dead when it goes on, but whoever is', async () => {
    const server = await startMooring([
      ...['--set', 'idleManagerTimeout=3s', '--set', 'backgroundCleanupInterval=500ms'],
      ...['--set', 'heartbeatInterval=700ms', '--log-level', 'debug'],
    ]);
    const [crowd, dead] = [await startCrowd(), await startCrowd()];
    const url = (thread: string): string => `${server.url}/?user_id=ada&thread_id=thread_${thread}`;
    const clients = [await crowd.settle(url('1')), await crowd.settle(url('2'))];
    await dead.settle(url('dead'));
    dead.freeze();
    process.kill(server.pid, 'SIGSTOP');
    await sleep(6_000);
    process.kill(server.pid, 'SIGCONT');
    const line = await server.hears((each) => each['msg'] === 'manager.released');
    expect(line).toMatchObject({ threadId: 'thread_dead', reason: 'disconnected' });
    expect(clients.map(({ ended }) => ended)).toEqual([null, null]);
    for (const client of clients) {
      client.send('still here');
      expect(await client.reply()).toBe('still here');
    }
    expect(await server.hears((each) => each['msg'] === 'process.stalled')).toBeDefined();
    const scenario = 'the server suspended for twice the idle timeout, then resumed';
    const answers = clients.flatMap(({ texts }) => texts).length;
    const saw = { peersSaw: `${answers} answers`, newcomersSaw: null };
    recordFault({ scenario, ...saw, freedMs: null, healthyClosed: endedOf(clients) });
  });
});
