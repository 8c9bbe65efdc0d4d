import { describe, expect, it } from 'vitest';
import { compose } from '../../../src/core/compose.js';
import {
  isPending,
  loadWebSocketConfig,
  type Admission,
  type MooringOptions,
  type PendingAdmission,
} from '../../../src/index.js';
import { FakeConnection, SimulatedTime } from '../../../src/testing/index.js';
import { harness, remote, seeded, type Client, type Harness } from '../support.js';

const replaced = { code: 4409, reason: 'replaced' };

/** What becomes of an attempt that arrived earlier and is decided only now. */
function decide(h: Harness, arrival: number, threadId = 'thread_1'): Admission | PendingAdmission {
  return h.mooring.decide({ userId: 'ada', threadId }, { arrival });
}

function expectReplaced(outcome: Admission | PendingAdmission): void {
  expect(isPending(outcome) ? 'pending' : outcome.refusal?.close).toEqual(replaced);
}

async function settled(h: Harness, outcome: PendingAdmission): Promise<Admission> {
  await h.time.advance(15_000);
  return outcome.settled;
}

const open = (h: Harness, outcome: Admission | PendingAdmission): Client => {
  if (isPending(outcome) || outcome.ticket === null) throw new Error('not admitted');
  return h.open(outcome.ticket);
};

describe('an attempt that arrived earlier than', () => {
  it('the connection it meets ends as replaced, and the connection stays', async () => {
    const h = harness();
    const older = h.mooring.arrivals.begin();
    const { transport, manager } = await h.connect('ada', 'thread_1');
    expectReplaced(decide(h, older));
    expect([transport.closes, manager.generation, h.said('connection.replaced')]).toEqual([[], 1, []]);
    expect(h.said('admission.refused')).toMatchObject([{ closeCause: 'replaced' }]);
  });

  it('a connection that took over from an earlier one ends as replaced', async () => {
    const h = harness();
    await h.connect('ada', 'thread_1');
    const older = h.mooring.arrivals.begin();
    const { transport } = await h.connect('ada', 'thread_1');
    expectReplaced(decide(h, older));
    expect(transport.isOpen).toBe(true);
  });

  it('the ticket it meets ends as replaced, and the ticket stays good', () => {
    const h = harness();
    const older = h.mooring.arrivals.begin();
    const ticket = h.ticket('ada', 'thread_1');
    expectReplaced(decide(h, older));
    expect(h.open(ticket).transport.isOpen).toBe(true);
  });

  it("the ticket of a connection's successor ends as replaced", async () => {
    const h = harness();
    await h.connect('ada', 'thread_1');
    const older = h.mooring.arrivals.begin();
    const successor = h.ticket('ada', 'thread_1');
    expectReplaced(decide(h, older));
    expect(h.open(successor).manager.generation).toBe(2);
  });

  it('the place in the queue of its thread ends as replaced, and the place stays', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    await h.connect('ada', 'thread_1', remote);
    const older = h.mooring.arrivals.begin();
    const place = h.wait('ada', 'thread_2');
    expectReplaced(decide(h, older, 'thread_2'));
    expect(h.mooring.waitingCountOf('ada')).toBe(1);
    h.mooring.release('ada:thread_1');
    expect((await place.settled).refusal).toBeNull();
  });

  it('a connection that got its slot from the queue ends as replaced', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    await h.connect('ada', 'thread_1', remote);
    const older = h.mooring.arrivals.begin();
    const place = h.wait('ada', 'thread_2');
    h.mooring.release('ada:thread_1');
    const { transport } = open(h, await place.settled);
    expectReplaced(decide(h, older, 'thread_2'));
    expect(transport.isOpen).toBe(true);
  });

  it('the challenger of a contest ends as replaced, and the contest goes on', async () => {
    const { h } = await contested();
    const older = h.mooring.arrivals.begin();
    const challenger = h.wait('ada', 'thread_1');
    expectReplaced(decide(h, older));
    expect((await settled(h, challenger)).refusal?.closeCause).toBe('contested');
  });

  it('a connection that is fought for starts no contest', async () => {
    const h = harness();
    const older = h.mooring.arrivals.begin();
    const { transport } = await fight(h);
    const pings = transport.pings.length;
    expectReplaced(decide(h, older));
    expect(transport.pings).toHaveLength(pings);
  });

  it('a reservation that the ledger has not confirmed ends as replaced', async () => {
    const granted = { granted: true, total: 1 } as const;
    let confirm = (): void => undefined;
    const answer = new Promise<typeof granted>((resolve) => {
      confirm = () => {
        resolve(granted);
      };
    });
    const ledger: MooringOptions['ledger'] = { acquire: () => answer, release: () => undefined };
    const h = harness({ ledger });
    const older = h.mooring.arrivals.begin();
    const newer = h.wait('ada', 'thread_1');
    expectReplaced(decide(h, older));
    confirm();
    expect((await newer.settled).refusal).toBeNull();
  });
});

describe('an attempt that arrived earlier takes over', () => {
  it('from nobody where the newer connection is gone', async () => {
    const h = harness();
    const older = h.mooring.arrivals.begin();
    const { transport } = await h.connect('ada', 'thread_1');
    transport.vanish();
    await h.time.advance(100);
    expect(open(h, decide(h, older)).manager.generation).toBe(1);
  });

  it("where the newer attempt's ticket was given back", () => {
    const h = harness();
    const older = h.mooring.arrivals.begin();
    h.ticket('ada', 'thread_1').cancel();
    expect(open(h, decide(h, older)).transport.isOpen).toBe(true);
  });

  it('from a connection that had opened before it arrived', async () => {
    const h = harness();
    const other = h.mooring.arrivals.begin();
    const { transport } = await h.connect('ada', 'thread_1');
    const arrival = h.mooring.arrivals.begin();
    h.mooring.arrivals.decided(other);
    open(h, decide(h, arrival));
    expect(transport.closes).toEqual([replaced]);
  });
});

describe('a suspect', () => {
  it('is taken over by an attempt that arrived earlier', async () => {
    const { parts, connect, stop } = composed();
    const older = parts.arrivals.begin();
    const incumbent = await connect();
    parts.suspicion.add([incumbent.connection]);
    const { connection } = await connect(older);
    expect(incumbent.transport.closes).toEqual([replaced]);
    expect(connection.generation).toBe(2);
    await stop();
  });

  it('that is fought for is taken over without being asked, and it is not counted', async () => {
    const { parts, connect, stop } = composed();
    for (let i = 0; i < 5; i++) await connect();
    const { transport, connection } = await connect();
    parts.suspicion.add([connection]);
    const pings = transport.pings.length;
    const { manager } = await connect();
    expect(transport.pings).toHaveLength(pings);
    expect(transport.closes).toEqual([replaced]);
    expect(manager.extras?.takeoversAtMs).toHaveLength(5);
    await stop();
  });
});

describe('a socket that is handed over closed', () => {
  it('takes the place of nobody of its thread', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    await h.connect('ada', 'thread_1', remote);
    const waiting = h.arrive('ada', 'thread_2');
    const gone = h.socket();
    gone.vanish();
    const { refusal } = await h.mooring.connect(gone, { userId: 'ada', threadId: 'thread_2' });
    expect(refusal?.code).toBe('admission.cancelled');
    expect([waiting.outcome, h.mooring.waitingCountOf('ada')]).toEqual([null, 1]);
  });
});

describe('connect', () => {
  it('takes a socket as arrived when it is called, unless it is told when', async () => {
    const h = harness();
    const arrival = h.mooring.arrivals.begin();
    const { transport } = await h.connect('ada', 'thread_1');
    const context = { userId: 'ada', threadId: 'thread_1' };
    const { refusal } = await h.mooring.connect(h.socket(), context, { arrival });
    expect(refusal?.close).toEqual(replaced);
    expect(transport.isOpen).toBe(true);
    await h.connect('ada', 'thread_1');
    expect(transport.closes).toEqual([replaced]);
  });

  it.each([
    ['whose context breaks a rule', { userId: '' }, false],
    ['whose client has gone', { userId: 'ada' }, true],
  ])('counts an attempt %s as under way no longer', async (_, { userId }, isAborted) => {
    const h = harness();
    const arrival = h.mooring.arrivals.begin();
    const signal = isAborted ? AbortSignal.abort() : new AbortController().signal;
    await h.mooring.connections
      .connect(h.socket(), { userId, threadId: 'thread_1' }, { arrival, signal })
      .catch(() => undefined);
    expect(h.mooring.arrivals.sizes.underWay).toBe(0);
  });
});

describe('what is kept of arrivals', () => {
  it('is nothing where nobody is under way', async () => {
    const h = harness();
    await h.fill('ada', 20);
    expect(h.mooring.arrivals.sizes).toEqual({ underWay: 0, noted: 0 });
  });

  it('goes when the last attempt that is older has been decided', async () => {
    const h = harness();
    const older = h.mooring.arrivals.begin();
    await h.fill('ada', 20);
    expect(h.mooring.arrivals.sizes).toEqual({ underWay: 1, noted: 20 });
    expect(() => decide(h, older, 'no thread')).toThrow('threadId');
    expect(h.mooring.arrivals.sizes).toEqual({ underWay: 0, noted: 0 });
  });

  it('stays small while there is always somebody under way', async () => {
    const h = harness({ config: { maxManagersPerUser: 1_000 } });
    let older = h.mooring.arrivals.begin();
    for (let i = 0; i < 1_000; i++) {
      await h.connect('ada', `thread_${i}`);
      const next = h.mooring.arrivals.begin();
      h.mooring.arrivals.decided(older);
      older = next;
    }
    expect(h.mooring.arrivals.sizes.noted).toBeLessThan(200);
    h.mooring.arrivals.decided(older);
  });

  it('goes with the connection', async () => {
    const h = harness();
    const older = h.mooring.arrivals.begin();
    const [first] = await h.fill('ada', 3);
    first?.transport.vanish();
    h.mooring.release('ada:thread_2');
    await h.connect('ada', 'thread_3');
    await h.time.advance(100);
    expect(h.mooring.arrivals.sizes.noted).toBe(1);
    h.mooring.arrivals.decided(older);
  });
});

/** A connection of a thread that has been taken over as often as starts a fight. */
async function fight(h: Harness, options = remote): Promise<Client> {
  for (let i = 0; i < 5; i++) await h.connect('ada', 'thread_1', remote);
  return h.connect('ada', 'thread_1', options);
}

/** The parts of a Mooring, and sockets of one thread for it. */
function composed() {
  const time = new SimulatedTime();
  const config = loadWebSocketConfig({ environment: 'production', env: {} });
  const parts = compose({ config, time, random: seeded(1) });
  return {
    parts,
    connect: async (arrival?: number) => {
      const transport = new FakeConnection({ ...remote, time });
      const context = { userId: 'ada', threadId: 'thread_1' };
      const { connection, manager, refusal } = await parts.connector.connect(transport, context, { arrival });
      if (refusal !== null) throw refusal;
      transport.bind(connection);
      return { transport, connection, manager };
    },
    stop: async () => {
      for (const manager of [...parts.registry.all()]) parts.lifecycle.release(manager, 'requested');
      await time.advance(5_000);
      parts.clock.dispose();
    },
  };
}

async function contested(): Promise<{ h: Harness; incumbent: Client }> {
  const h = harness();
  return { h, incumbent: await fight(h) };
}
