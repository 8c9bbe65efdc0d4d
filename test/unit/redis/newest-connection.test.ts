import { describe, expect, it } from 'vitest';
import { remote } from '../../core/support.js';
import { Cluster, type Node } from '../../support/simulated-cluster.js';

/** Two processes that share a quota. */
async function pair(limit = 2) {
  const cluster = await new Cluster(2, { config: { maxManagersPerUser: limit } }).start();
  const [here, there] = cluster.nodes as [Node, Node];
  return { cluster, here, there };
}

const replaced = { code: 4409, reason: 'replaced' };

/** A thread comes to both processes, one after the other, while Redis stands still. Then it goes on. */
async function admittedWhileDown(cluster: Cluster, older: number) {
  cluster.redis.pause();
  await cluster.advance(3_000);
  const former = cluster.nodes[older]!.arrive('ada', 'thread_1', remote);
  await cluster.advance(100);
  const newest = cluster.nodes[1 - older]!.arrive('ada', 'thread_1', remote);
  await cluster.advance(100);
  cluster.redis.resume();
  return { former, newest };
}

describe('the newest connection of a thread', () => {
  it.each([0, 1])('keeps it if both were admitted while Redis was down (older in process %i)', async (older) => {
    const { cluster } = await pair();
    const { former, newest } = await admittedWhileDown(cluster, older);
    await cluster.advance(5_000);
    expect(newest.transport.closes).toEqual([]);
    expect(former.transport.closes).toEqual([replaced]);
    expect(cluster.redis.slotsOf('ada')).toBe(1);
  });

  it.each([0, 1])('keeps it if Redis was never there before (older in process %i)', async (older) => {
    const cluster = new Cluster(2);
    const { former, newest } = await admittedWhileDown(cluster, older);
    await cluster.advance(6_000);
    expect(newest.transport.closes).toEqual([]);
    expect(former.transport.closes).toEqual([replaced]);
  });

  it('takes it over when it opens, if its slot was asserted before', async () => {
    const { cluster, here, there } = await pair();
    const former = there.arrive('ada', 'thread_1', remote);
    await cluster.advance(50);
    cluster.redis.fate = ({ name }) => ({ isReplyLost: name === 'acquire' });
    const waiting = here.mooring.admit({ userId: 'ada', threadId: 'thread_1' });
    await cluster.advance(300);
    cluster.redis.fate = () => ({});
    const { ticket } = await waiting;
    await cluster.advance(2_000);
    expect(former.transport.closes).toEqual([]);
    here.open(ticket!, remote);
    await cluster.advance(1_300);
    expect(former.transport.closes).toEqual([replaced]);
    expect([here.countOf('ada'), there.countOf('ada'), cluster.redis.slotsOf('ada')]).toEqual([1, 0, 1]);
  });

  it('keeps it in a process that stood still just before, also against one that came back elsewhere', async () => {
    const { cluster, here, there } = await pair();
    there.arrive('ada', 'thread_1', remote);
    await cluster.advance(50);
    cluster.kill(here);
    await cluster.advance(3_000);
    const renewed = there.arrive('ada', 'thread_1', remote);
    await cluster.advance(500);
    await cluster.goOn(here);
    const newest = here.arrive('ada', 'thread_1', remote);
    await cluster.advance(4_000);
    expect(newest.transport.closes).toEqual([]);
    expect(renewed.transport.closes).toEqual([replaced]);
  });

  it('stays if the other process that had the thread has gone, and its slot is taken', async () => {
    const { cluster, here, there } = await pair(1);
    there.arrive('ada', 'thread_1', remote);
    await cluster.advance(920);
    const between = here.arrive('ada', 'thread_1', remote);
    await cluster.advance(10);
    const newest = there.arrive('ada', 'thread_1', remote);
    between.transport.vanish();
    await cluster.advance(10);
    here.arrive('ada', 'thread_2', remote);
    await cluster.advance(4_000);
    expect(newest.transport.closes).toEqual([]);
    expect([here.countOf('ada'), there.countOf('ada'), cluster.redis.slotsOf('ada')]).toEqual([1, 1, 2]);
  });

  it('is told to the other process although an operator has deleted the log twice', async () => {
    const { cluster, here, there } = await pair();
    const former = there.arrive('ada', 'thread_1', remote);
    await cluster.advance(50);
    const deleteLog = (): void => {
      for (const { log } of cluster.redis.partitions) log.length = 0;
    };
    deleteLog();
    await cluster.advance(1_100);
    here.arrive('ada', 'thread_1', remote);
    await cluster.advance(100);
    deleteLog();
    await cluster.advance(4_000);
    expect(former.transport.closes).toEqual([replaced]);
    expect(cluster.redis.slotsOf('ada')).toBe(1);
  });
});

describe('a process whose Redis was down', () => {
  it('is up again also if a thread has moved elsewhere meanwhile', async () => {
    const { cluster, here, there } = await pair();
    const former = there.arrive('ada', 'thread_1', remote);
    await cluster.advance(50);
    cluster.redis.fate = (_, connection) => ({ isReplyLost: connection === there.connection });
    await cluster.advance(3_000);
    expect(there.mooring.ledgerStatus?.state).toBe('down');
    here.arrive('ada', 'thread_1', remote);
    await cluster.advance(100);
    cluster.redis.fate = () => ({});
    await cluster.advance(5_000);
    expect(there.mooring.ledgerStatus?.state).toBe('up');
    expect(former.transport.closes).toEqual([replaced]);
  });
});

describe('what Redis has lost', () => {
  it('is asserted anew also if the call that begins a rotation has no answer', async () => {
    const { cluster, here } = await pair();
    here.arrive('ada', 'thread_1', remote);
    await cluster.advance(50);
    for (const { log, users } of cluster.redis.partitions) {
      log.length = 0;
      users.clear();
    }
    let lost = 0;
    cluster.redis.fate = ({ name }) => ({ isReplyLost: name === 'register' && (lost += 1) <= 2 * 16 });
    await cluster.advance(4_000);
    expect(cluster.redis.slotsOf('ada')).toBe(1);
  });
});

describe('a connection that ends while its slot is asserted anew', () => {
  it('leaves no slot behind', async () => {
    const { cluster, here } = await pair();
    const ends = here.arrive('ada', 'thread_1', remote);
    here.arrive('ada', 'thread_2', remote);
    await cluster.advance(50);
    cluster.redis.pause();
    await cluster.advance(3_000);
    cluster.redis.fate = ({ name }) => {
      if (name !== 'assert') return {};
      here.time.setTimer(() => {
        ends.transport.vanish();
      }, 20);
      return { backMs: 100 };
    };
    cluster.redis.resume();
    await cluster.advance(4_000);
    expect(here.countOf('ada')).toBe(1);
    expect(cluster.redis.slotsOf('ada')).toBe(1);
  });
});

describe('a connection that comes while the repair of a quota has failed once', () => {
  it('is counted when the repair has ended, though the call for it had no answer', async () => {
    const { cluster, here } = await pair();
    here.arrive('ada', 'thread_1', remote);
    await cluster.advance(1_000);
    cluster.redis.fate = ({ name }) => {
      if (name === 'acquire') return { error: 'BUSY Redis is busy running a script.' };
      return { isReplyLost: name === 'assert' };
    };
    cluster.redis.failOver(cluster.redis.snapshot());
    // The next epoch has begun, and what this process holds is being asserted under it.
    while (!cluster.redis.done.has('assert')) await cluster.advance(10);
    const { transport } = here.arrive('ada', 'thread_2', remote);
    await cluster.advance(300);
    cluster.redis.fate = () => ({});
    await cluster.advance(5_000);
    expect(transport.closes).toEqual([]);
    expect([here.countOf('ada'), cluster.redis.slotsOf('ada')]).toEqual([2, 2]);
  });
});
