import { describe, expect, it } from 'vitest';
import { remote, silent } from '../../core/support.js';
import { Cluster, type Node } from '../../support/simulated-cluster.js';

/** The first two processes; the second may not be there. */
function pairOf({ nodes }: Cluster): [Node, Node] {
  return nodes as [Node, Node];
}

/** Connections of a user that are open. */
async function fill(cluster: Cluster, node: Node, userId: string, count: number) {
  const arrivals = Array.from({ length: count }, (_, index) => node.arrive(userId, `thread_${index}`, remote));
  await cluster.advance(50);
  return arrivals;
}

const two = { config: { maxManagersPerUser: 2 } };

describe('a quota on Redis', () => {
  it('is one for all processes', async () => {
    const cluster = await new Cluster(2, two).start();
    const [here, there] = pairOf(cluster);
    const arrivals = [here, there, here, there].map((node, index) => node.arrive('ada', `thread_${index}`, remote));
    await cluster.advance(50);
    expect(arrivals.filter(({ outcome }) => outcome?.manager)).toHaveLength(2);
    expect(cluster.redis.slotsOf('ada')).toBe(2);
    await cluster.advance(20_000);
    expect(arrivals.flatMap(({ outcome }) => outcome?.refusal?.code ?? [])).toEqual([
      'quota.exceeded',
      'quota.exceeded',
    ]);
  });

  it('gives a slot that one process frees to a newcomer of another', async () => {
    const cluster = await new Cluster(2, two).start();
    const [here, there] = pairOf(cluster);
    const theirs = [there.arrive('ada', 'thread_1', remote), there.arrive('ada', 'thread_2', remote)];
    await cluster.advance(50);
    const newcomer = here.arrive('ada', 'thread_new', remote);
    await cluster.advance(100);
    theirs[0]?.transport.vanish();
    await cluster.advance(600);
    expect(newcomer.outcome?.manager?.threadId).toBe('thread_new');
  });

  it('lets the users of a process that was killed in again, without a refusal', async () => {
    const cluster = await new Cluster(2, two).start();
    const [here, there] = pairOf(cluster);
    for (const thread of ['thread_1', 'thread_2']) there.arrive('ada', thread, remote);
    await cluster.advance(50);
    cluster.kill(there);
    const newcomer = here.arrive('ada', 'thread_new', remote);
    await cluster.advance(4_900);
    expect(newcomer.outcome).toBeNull();
    await cluster.advance(1_600);
    expect(newcomer.outcome?.manager?.threadId).toBe('thread_new');
    await cluster.goOn(there);
  });

  it('is given back as a whole when a process stops', async () => {
    const cluster = await new Cluster(2, two).start();
    for (const node of cluster.nodes) node.arrive('ada', `thread_${cluster.nodes.indexOf(node)}`, remote);
    await cluster.advance(50);
    expect(cluster.redis.epochs).toBe(32);
    await cluster.nodes[0]?.stop();
    await cluster.nodes[1]?.stop();
    expect([cluster.redis.epochs, cluster.redis.slots]).toEqual([0, 0]);
  });
});

describe('a thread that comes to another process', () => {
  const taken = async () => {
    const cluster = await new Cluster(2, two).start();
    const [here, there] = pairOf(cluster);
    const former = there.arrive('ada', 'thread_1', remote);
    await cluster.advance(50);
    return { cluster, here, there, former };
  };

  it('is served there, and the former connection is closed with 4409 within a beat', async () => {
    const { cluster, here, there, former } = await taken();
    const newer = here.arrive('ada', 'thread_1', remote);
    await cluster.advance(1_200);
    expect(newer.outcome?.manager?.threadId).toBe('thread_1');
    expect(former.transport.closes).toEqual([{ code: 4409, reason: 'replaced' }]);
    expect(there.said('manager.released')).toMatchObject([{ reason: 'moved' }]);
    expect(cluster.redis.slotsOf('ada')).toBe(1);
  });

  it('costs the former connection nothing if it vanishes before it is open', async () => {
    const { cluster, here, former } = await taken();
    const waiting = here.mooring.admit({ userId: 'ada', threadId: 'thread_1' });
    await cluster.advance(50);
    (await waiting).ticket?.cancel();
    await cluster.advance(3_000);
    expect(former.transport.closes).toEqual([]);
    expect(cluster.countOf('ada')).toBe(1);
    expect(cluster.redis.slotsOf('ada')).toBe(1);
  });

  it('belongs to its newest connection, also if that came back before the first process knew', async () => {
    const { cluster, here, there, former } = await taken();
    const between = here.arrive('ada', 'thread_1', remote);
    await cluster.advance(200);
    const newest = there.arrive('ada', 'thread_1', remote);
    await cluster.advance(4_000);
    expect(between.transport.closes).toEqual([{ code: 4409, reason: 'replaced' }]);
    expect(former.transport.closes).toEqual([{ code: 4409, reason: 'replaced' }]);
    expect(newest.transport.closes).toEqual([]);
    expect([here.countOf('ada'), there.countOf('ada'), cluster.redis.slotsOf('ada')]).toEqual([0, 1, 1]);
  });

  it('is refused as contested when two processes keep taking it from each other', async () => {
    const { cluster, here, there } = await taken();
    const codes: (string | undefined)[] = [];
    for (let round = 0; round < 8; round += 1) {
      const arrival = (round % 2 === 0 ? here : there).arrive('ada', 'thread_1', remote);
      await cluster.advance(1_300);
      codes.push(arrival.outcome?.refusal?.code);
    }
    expect(codes.indexOf('key.contested')).toBeGreaterThanOrEqual(4);
    expect(codes.indexOf('key.contested')).toBeLessThanOrEqual(6);
  });
});

describe('while Redis stands still', () => {
  it('nobody is closed, no process counts as dead, and newcomers wait for at most 250 ms each', async () => {
    const cluster = await new Cluster(2).start();
    const [here, there] = pairOf(cluster);
    for (let i = 0; i < 5; i += 1) there.arrive('ada', `thread_${i}`, remote);
    await cluster.advance(50);
    cluster.redis.pause();
    await cluster.advance(5);
    const first = here.arrive('ada', 'thread_first', remote);
    await cluster.advance(260);
    expect(first.outcome?.manager?.threadId).toBe('thread_first');
    await cluster.advance(30_000);
    expect(here.said('ledger.changed').map(({ state }) => state)).toEqual(['up', 'suspended', 'down']);
    const later = here.arrive('ada', 'thread_later', remote);
    await cluster.advance(10);
    expect(later.outcome?.manager?.threadId).toBe('thread_later');
    cluster.redis.resume();
    await cluster.advance(5_000);
    expect(cluster.nodes.flatMap((node) => node.said('manager.released'))).toEqual([]);
    expect(here.said('ledger.changed').at(-1)).toMatchObject({ state: 'up', reason: null });
    expect(cluster.redis.slotsOf('ada')).toBe(7);
    expect(cluster.countOf('ada')).toBe(7);
  });

  it('newcomers are refused if failOpen is off', async () => {
    const cluster = await new Cluster(1, { config: { failOpen: false } }).start();
    const [here] = pairOf(cluster);
    cluster.redis.pause();
    const arrival = here.arrive('ada', 'thread_1', remote);
    await cluster.advance(300);
    expect(arrival.outcome?.refusal?.close.reason).toMatch(/^unavailable;retry=\d/);
    expect(arrival.outcome?.refusal?.close.code).toBe(1013);
    cluster.redis.resume();
    await cluster.advance(3_000);
    expect(cluster.redis.slotsOf('ada')).toBe(0);
  });
});

describe('when Redis can be asked again', () => {
  it.each([1, 2, 3])('a process shares the quota soon, though %i of its assertions have no answer', async (lost) => {
    const cluster = await new Cluster(1).start();
    const [node] = cluster.nodes;
    await fill(cluster, node!, 'ada', 5);
    cluster.redis.pause();
    await cluster.advance(4_000);
    expect(node?.mooring.ledgerStatus?.state).toBe('down');
    let left = lost;
    cluster.redis.fate = ({ name }) => ({ isReplyLost: name === 'assert' && (left -= 1) >= 0 });
    cluster.redis.resume();
    // Two beats, and for each lost one twice as long as for that before, from a beat on.
    await cluster.advance(2_500 + 1_000 * 2 ** (lost - 1) + 1_000);
    expect(left).toBeLessThan(0);
    expect(node?.mooring.ledgerStatus?.state).toBe('up');
  });
});

describe('what Redis has lost', () => {
  it('is asserted anew when it has started empty', async () => {
    const cluster = await new Cluster(2, two).start();
    const [here, there] = pairOf(cluster);
    there.arrive('ada', 'thread_1', remote);
    here.arrive('ada', 'thread_2', remote);
    await cluster.advance(50);
    cluster.redis.restartEmpty();
    await cluster.advance(3_000);
    expect(cluster.redis.slotsOf('ada')).toBe(2);
    expect(cluster.nodes.flatMap((node) => node.said('manager.released'))).toEqual([]);
    const late = here.arrive('ada', 'thread_3', silent);
    await cluster.advance(20_000);
    expect(late.outcome?.refusal?.code).toBe('quota.exceeded');
  });

  it('is asserted anew after a failover that lost the last writes', async () => {
    const cluster = await new Cluster(2).start();
    const [here] = pairOf(cluster);
    const early = await fill(cluster, here, 'ada', 3);
    const before = cluster.redis.snapshot();
    await cluster.advance(1_000);
    early[0]?.transport.vanish();
    here.arrive('ada', 'thread_late', remote);
    await cluster.advance(200);
    cluster.redis.failOver(before);
    cluster.redis.aheadMs = 180_000;
    await cluster.advance(4_000);
    expect(cluster.redis.slotsOf('ada')).toBe(3);
    expect(cluster.countOf('ada')).toBe(3);
    expect(here.said('manager.released')).toHaveLength(1);
  });

  it('is asserted anew if an operator deletes it, within the time of a rotation', async () => {
    const cluster = await new Cluster(1, { config: { idleManagerTimeoutMs: null } }).start();
    const [here] = pairOf(cluster);
    await fill(cluster, here, 'ada', 3);
    for (const { users } of cluster.redis.partitions) users.clear();
    await cluster.advance(740_000);
    expect(cluster.redis.slotsOf('ada')).toBe(3);
  });
});

describe('a process that stood still', () => {
  it('keeps what it has, and is counted again', async () => {
    const cluster = await new Cluster(2, two).start();
    const [here, there] = pairOf(cluster);
    for (const thread of ['thread_1', 'thread_2']) there.arrive('ada', thread, remote);
    await cluster.advance(50);
    cluster.kill(there);
    await cluster.advance(8_000);
    const newcomer = here.arrive('ada', 'thread_new', remote);
    await cluster.advance(50);
    expect(newcomer.outcome?.manager?.threadId).toBe('thread_new');
    await cluster.goOn(there);
    await cluster.advance(3_000);
    expect(there.said('manager.released')).toEqual([]);
    expect(cluster.redis.slotsOf('ada')).toBe(3);
  });
});

describe('replies that are lost', () => {
  it('leave no slot behind, and lose none', async () => {
    const cluster = await new Cluster(2).start();
    const [here] = pairOf(cluster);
    const kept = await fill(cluster, here, 'ada', 2);
    cluster.redis.fate = ({ name }) => ({ isReplyLost: name === 'acquire' || name === 'release' });
    const arrival = here.arrive('ada', 'thread_lost', remote);
    kept[0]?.transport.vanish();
    await cluster.advance(300);
    expect(arrival.outcome?.manager?.threadId).toBe('thread_lost');
    cluster.redis.fate = () => ({});
    await cluster.advance(2_500);
    expect(cluster.redis.slotsOf('ada')).toBe(2);
    expect(cluster.countOf('ada')).toBe(2);
  });
});

describe('what an operator is told', () => {
  it.each([
    ["OOM command not allowed when used memory > 'maxmemory'.", /no memory left.*maxmemory/],
    ['MISCONF Redis is configured to save RDB snapshots', /cannot save.*disk/],
    ["READONLY You can't write against a read only replica.", /replica/],
    ['LOADING Redis is loading the dataset in memory', /loading/],
    ["NOPERM User mooring has no permissions to run the 'evalsha' command", /may not do everything/],
    ['BUSY Redis is busy running a script.', /SCRIPT KILL/],
    ['NOREPLICAS Not enough good replicas to write.', /min-replicas-to-write/],
  ])('of %s', async (error, reason) => {
    const cluster = await new Cluster(1).start();
    const [here] = pairOf(cluster);
    cluster.redis.fate = () => ({ error });
    await cluster.advance(3_000);
    expect(here.said('ledger.changed').at(-1)).toMatchObject({ state: 'down' });
    expect(here.said('ledger.changed').at(-1)?.reason).toMatch(reason);
    expect(here.mooring.ledgerStatus).toMatchObject({ state: 'down' });
    cluster.redis.fate = () => ({});
    await cluster.advance(5_000);
    expect(here.mooring.ledgerStatus).toMatchObject({ state: 'up', reason: null });
  });

  it('if another process has another limit, once', async () => {
    const cluster = new Cluster(1, two);
    const [here] = pairOf(cluster);
    await cluster.advance(100);
    const other = cluster.add({ config: { maxManagersPerUser: 3 } });
    await cluster.advance(800_000);
    expect(other.said('ledger.mismatch')).toMatchObject([{ ours: 3, theirs: 2 }]);
    expect(here.said('ledger.mismatch')).toMatchObject([{ ours: 2, theirs: 3 }]);
  });
});

describe('limits', () => {
  it('above a thousand hold in each process by itself', async () => {
    const cluster = await new Cluster(1, { config: { maxManagersPerUser: 2_000 } }).start();
    const [here] = pairOf(cluster);
    here.arrive('ada', 'thread_1', remote);
    await cluster.advance(50);
    expect([here.countOf('ada'), cluster.redis.slotsOf('ada')]).toEqual([1, 0]);
  });
});

it('slots in a format of a later version count, and are never touched', async () => {
  const cluster = await new Cluster(1, two).start();
  const [here] = pairOf(cluster);
  await fill(cluster, here, 'ada', 1);
  for (const { users } of cluster.redis.partitions) users.get('ada')?.set('thread_strange', 'v2!whatever');
  const newcomer = here.arrive('ada', 'thread_new', remote);
  await cluster.advance(20_000);
  expect(newcomer.outcome?.refusal?.code).toBe('quota.exceeded');
  expect(cluster.redis.slotsOf('ada')).toBe(2);
});

describe('a process that starts', () => {
  it('has its first newcomers wait for the connection, and does not take Redis for down', async () => {
    const cluster = new Cluster(1);
    const [here] = pairOf(cluster);
    const arrivals = [1, 2, 3, 4, 5].map((index) => here.arrive('ada', `thread_${index}`, remote));
    await cluster.advance(50);
    expect(arrivals.map(({ outcome }) => outcome?.refusal)).toEqual([null, null, null, null, null]);
    expect(cluster.redis.slotsOf('ada')).toBe(5);
    expect(here.said('ledger.changed').map(({ state }) => state)).toEqual(['up']);
  });
});

describe('what another application has written', () => {
  it('is reported for the user it concerns, and says nothing about Redis', async () => {
    const cluster = await new Cluster(1).start();
    const [here] = pairOf(cluster);
    cluster.redis.fate = ({ keys }) =>
      keys.some((key) => key.endsWith(':u:ada'))
        ? { error: 'WRONGTYPE Operation against a key holding the wrong kind of value' }
        : {};
    const arrivals = [1, 2, 3, 4].map((index) => here.arrive('ada', `thread_${index}`, remote));
    await cluster.advance(100);
    expect(arrivals.map(({ outcome }) => outcome?.refusal)).toEqual([null, null, null, null]);
    expect(here.said('ledger.failed')).toHaveLength(4);
    expect(here.said('ledger.failed')[0]?.error).toContain('WRONGTYPE');
    expect(here.mooring.ledgerStatus).toMatchObject({ state: 'up' });
  });
});

it('does not act on totals of other processes when Redis is gone', async () => {
  const cluster = await new Cluster(2).start();
  const [here, there] = pairOf(cluster);
  await fill(cluster, there, 'ada', 15);
  here.arrive('ada', 'thread_here', remote);
  await cluster.advance(50);
  expect(here.mooring.monitor.lookAt('ada')).toMatchObject({ managerCount: 1, total: 16 });
  cluster.redis.pause();
  await cluster.advance(3_000);
  expect(here.mooring.monitor.lookAt('ada')).toEqual(expect.not.objectContaining({ total: 16 }));
  cluster.redis.resume();
  await cluster.advance(5_000);
});

describe('a process that was cut off', () => {
  const cutOff = async () => {
    const cluster = await new Cluster(2, two).start();
    const [here, there] = pairOf(cluster);
    const former = here.arrive('ada', 'thread_1', remote);
    await cluster.advance(50);
    here.connection.cut();
    await cluster.advance(4_000);
    expect(here.mooring.ledgerStatus?.state).toBe('down');
    return { cluster, here, there, former };
  };

  it('is counted again although a thread has moved away meanwhile, and gives that up', async () => {
    const { cluster, here, there, former } = await cutOff();
    there.arrive('ada', 'thread_1', remote);
    await cluster.advance(4_000);
    here.connection.mend();
    await cluster.advance(6_000);
    expect(here.mooring.ledgerStatus?.state).toBe('up');
    expect(former.transport.closes).toEqual([{ code: 4409, reason: 'replaced' }]);
    expect([here.countOf('ada'), there.countOf('ada'), cluster.redis.slotsOf('ada')]).toEqual([0, 1, 1]);
  });

  it('does not take back a thread that has come to it meanwhile, and went on to another process', async () => {
    const { cluster, here, there } = await cutOff();
    const older = here.arrive('ada', 'thread_2', remote);
    await cluster.advance(1_000);
    const newest = there.arrive('ada', 'thread_2', remote);
    await cluster.advance(1_000);
    here.connection.mend();
    await cluster.advance(6_000);
    expect(newest.transport.closes).toEqual([]);
    expect(older.transport.closes).toEqual([{ code: 4409, reason: 'replaced' }]);
  });
});
