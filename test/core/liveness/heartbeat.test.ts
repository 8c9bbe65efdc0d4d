import { describe, expect, it } from 'vitest';
import { EventStream } from '../../../src/core/events.js';
import { Heartbeat } from '../../../src/core/liveness/heartbeat.js';
import { Pinger } from '../../../src/core/liveness/ping.js';
import { Suspicion } from '../../../src/core/liveness/suspicion.js';
import { Slices } from '../../../src/core/slices.js';
import { afterThisTest } from '../../support/setup.js';
import { harness, remote, seeded, silent, type Client, type Harness, type PeerOptions } from '../support.js';
import { loneConnection, watchfulClock } from './lone-connection.js';

const intervalMs = 25_000;
const phaseMs = intervalMs / 100;

/** A heartbeat with nothing around it. */
function heartbeat() {
  const at = watchfulClock();
  const dead: string[] = [];
  const suspicion = new Suspicion({ suspectsFound: () => undefined });
  const made: Heartbeat = new Heartbeat({
    clock: at.clock,
    events: new EventStream(() => at.time.wallNow()),
    pinger: new Pinger(seeded(1)),
    suspicion,
    slices: new Slices({ time: at.time, clock: at.clock, budgetMs: 5 }),
    lifecycle: {
      connectionDied: (connection, finding) => {
        dead.push(finding);
        made.remove(connection);
      },
    },
    config: { heartbeatIntervalMs: intervalMs, maxHeartbeatMisses: 2, slowConsumerTimeoutMs: 60_000 },
  });
  afterThisTest(() => {
    made.dispose();
  });
  return {
    ...at,
    heartbeat: made,
    dead,
    suspicion,
    connection: (options: PeerOptions = remote) => loneConnection(at, options),
  };
}

/** One connection, and its life until something was done about it. */
async function watched(options: PeerOptions = remote) {
  const h = harness();
  const client = await h.connect('ada', 'thread_1', options);
  return { h, ...client };
}

const missesOf = (h: Harness): number[] => h.said('heartbeat.missed').map(({ misses }) => misses);

/** Lets time pass until the connection has been pinged once more. */
async function untilPinged(h: Harness, { transport }: Pick<Client, 'transport'>): Promise<void> {
  const before = transport.pings.length;
  for (let passed = 0; transport.pings.length === before; passed += phaseMs) {
    if (passed > 2 * intervalMs) throw new Error('it was not pinged');
    await h.time.advance(phaseMs);
  }
}

/** How long after falling silent now each connection was released, in order of release. */
async function timesToRelease(h: Harness, clients: readonly Client[]): Promise<number[]> {
  const fellSilentAtMs = h.time.wallNow();
  for (const { transport } of clients) transport.fallSilent();
  await h.time.advance(6 * intervalMs);
  return h.said('manager.released').map(({ atMs }) => atMs - fellSilentAtMs);
}

/** Fifty users of one connection each, who connect at once. */
async function fifty(h: Harness, prefix = 'user'): Promise<Client[]> {
  const clients: Client[] = [];
  for (let i = 0; i < 50; i++) clients.push(await h.connect(`${prefix}${i}`, 'thread_1', remote));
  return clients;
}

/** A hundred of them, at different phases, with known round trips. */
async function hundred(h: Harness): Promise<Client[]> {
  const first = await fifty(h, 'first');
  await h.time.advance(intervalMs / 2);
  const clients = [...first, ...(await fifty(h, 'second'))];
  await h.time.advance(2 * intervalMs);
  return clients;
}

describe('a connection that was just accepted', () => {
  it('is not pinged at once, wherever in the interval it falls', async () => {
    const h = harness();
    for (let i = 0; i < 100; i++) {
      const { transport } = await h.connect(`user${i}`, 'thread_1', remote);
      await h.time.advance(intervalMs / 25 - 1);
      expect(transport.pings).toEqual([]);
      transport.vanish();
      await h.time.advance(137);
    }
  });

  it('is pinged within a fifth of an interval, so that its round trip is known soon', async () => {
    const { h, transport } = await watched();
    await h.time.advance(intervalMs / 5 + phaseMs);
    expect(transport.pings).toHaveLength(1);
  });
});

describe('a quiet connection', () => {
  it('is pinged once an interval', async () => {
    const { h, transport } = await watched();
    await untilPinged(h, { transport });
    await h.time.advance(9 * intervalMs);
    expect(transport.pings).toHaveLength(10);
  });

  it('that answers lives on', async () => {
    const { h } = await watched();
    await h.time.advance(20 * intervalMs);
    expect(h.countOf('ada')).toBe(1);
    expect(missesOf(h)).toEqual([]);
  });
});

describe('a connection from which bytes arrive', () => {
  it.each(['message', 'keepalive'] as const)(
    'is pinged once an interval while it sends a %s every second, as often as a quiet one',
    async (what) => {
      const h = harness();
      const talker = await h.connect('ada', 'thread_talker', remote);
      const quiet = await h.connect('ada', 'thread_quiet', remote);
      for (let i = 0; i < 600; i++) {
        await h.time.advance(1_000);
        talker.transport[what]();
      }
      expect(talker.transport.pings).toHaveLength(24);
      expect(quiet.transport.pings).toHaveLength(24);
    },
  );

  it('is told once when its client answers no ping', async () => {
    const h = harness();
    const { transport } = await h.connect('ada', 'thread_1', { ...silent, isNew: true });
    for (let i = 0; i < 30; i++) {
      await h.time.advance(10_000);
      transport.message();
    }
    expect(h.said('connection.neverAnswers')).toMatchObject([{ key: 'ada:thread_1', generation: 1 }]);
    expect(h.countOf('ada')).toBe(1);
  });

  it('is told too when its client sends pongs that answer nothing', async () => {
    const h = harness();
    const { transport } = await h.connect('ada', 'thread_1', { ...silent, isNew: true });
    for (let i = 0; i < 30; i++) {
      await h.time.advance(10_000);
      transport.pong('a pong of its own accord');
    }
    expect(h.said('connection.neverAnswers')).toHaveLength(1);
    expect(h.countOf('ada')).toBe(1);
  });

  it('is not told of when its client answers', async () => {
    const { h, transport } = await watched();
    for (let i = 0; i < 30; i++) {
      await h.time.advance(10_000);
      transport.message();
    }
    expect(h.said('connection.neverAnswers')).toEqual([]);
  });

  it('clears a suspect', async () => {
    const { time, heartbeat: beat, connection, suspicion } = heartbeat();
    const { connection: each, transport } = connection(silent);
    beat.add(each);
    suspicion.add([each]);
    transport.message();
    await time.advance(intervalMs / 5);
    expect(suspicion.size).toBe(0);
  });
});

describe('a user at critical', () => {
  const pingsOf = (clients: readonly Client[]): number[] => clients.map(({ transport }) => transport.pings.length);

  it('has every connection asked at once, for its round trip: somebody may soon have to wait', async () => {
    const h = harness();
    const clients = await h.fill('ada', 15, remote);
    expect(pingsOf(clients)).toEqual(Array(15).fill(0));
    clients.push(...(await h.fill('ada', 5, { ...remote, prefix: 'more_' })));
    expect(pingsOf(clients)).toEqual(Array(20).fill(1));
    await h.time.advance(20);
    expect(clients.map(({ connection }) => connection.roundTripMs)).toEqual(Array(20).fill(20));
  });

  it('has nobody asked whose round trip is known', async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    const [first] = await h.fill('ada', 1, remote);
    await h.time.advance(6_000);
    expect(pingsOf([first!])).toEqual([1]);
    await h.connect('ada', 'thread_2', remote);
    expect(pingsOf([first!])).toEqual([1]);
  });
});

describe('a peer that is not there', () => {
  it('is released as disconnected after two misses, not after one', async () => {
    const { h, transport } = await watched(silent);
    await untilPinged(h, { transport });
    await h.time.advance(intervalMs);
    expect(missesOf(h)).toEqual([1]);
    expect(h.countOf('ada')).toBe(1);
    await h.time.advance(intervalMs);
    expect(missesOf(h)).toEqual([1, 2]);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'disconnected', closeCause: 'silent' }]);
  });

  it('is told 1013 silent, and destroyed after the grace', async () => {
    const { h, transport } = await watched({ ...silent, isNew: true });
    await h.time.advance(3 * intervalMs + phaseMs);
    expect(transport.closes).toEqual([{ code: 1013, reason: 'silent' }]);
    expect(transport.isTerminated).toBe(true);
  });

  it('held or not: a dead connection is dead', async () => {
    const { h, manager } = await watched(silent);
    manager.hold();
    await h.time.advance(3 * intervalMs + phaseMs);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'disconnected' }]);
  });

  it('is found by its state where the socket says nothing of its end', async () => {
    const h = harness();
    const ticket = h.ticket('ada', 'thread_1');
    const transport = h.socket(remote);
    ticket.open(transport);
    transport.vanish();
    await h.time.advance(intervalMs + phaseMs);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'disconnected' }]);
    expect(missesOf(h)).toEqual([]);
  });

  it('of which the state cannot be read is judged by its silence', async () => {
    const { h } = await watched({ ...silent, throwsFrom: ['isOpen', 'ping'] });
    await h.time.advance(3 * intervalMs + phaseMs);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'disconnected' }]);
  });
});

describe('a peer that falls silent', () => {
  const withinMs = 75_000 + 2 * phaseMs;

  it('is freed within 75 s, wherever in the interval it does', async () => {
    const h = harness();
    const times = await timesToRelease(h, await hundred(h));
    expect(times).toHaveLength(100);
    expect(Math.max(...times)).toBeLessThanOrEqual(withinMs);
  });

  it('right after a message is freed within 75 s, wherever in the interval it does', async () => {
    const h = harness();
    const clients = await hundred(h);
    for (const { transport } of clients) transport.message();
    const times = await timesToRelease(h, clients);
    expect(times).toHaveLength(100);
    expect(Math.max(...times)).toBeLessThanOrEqual(withinMs);
  });

  it('right after a keepalive is freed within 75 s, wherever in the interval it does', async () => {
    const h = harness();
    const clients = await hundred(h);
    for (const { transport } of clients) transport.keepalive();
    const times = await timesToRelease(h, clients);
    expect(times).toHaveLength(100);
    expect(Math.max(...times)).toBeLessThanOrEqual(withinMs);
  });

  it('before its first ping is freed within 75 s of being accepted', async () => {
    const h = harness();
    const times = await timesToRelease(h, await fifty(h));
    expect(times).toHaveLength(50);
    expect(Math.max(...times)).toBeLessThanOrEqual(withinMs);
  });
});

describe('orca#12790: one missed ping is not death', () => {
  it('a peer that answers the next one lives, and starts from nothing', async () => {
    const { h, transport } = await watched(silent);
    await untilPinged(h, { transport });
    transport.pongAfterMs = 20;
    await h.time.advance(intervalMs);
    expect(missesOf(h)).toEqual([1]);
    await h.time.advance(intervalMs);
    transport.fallSilent();
    await h.time.advance(2 * intervalMs);
    expect(missesOf(h)).toEqual([1, 1]);
    expect(h.countOf('ada')).toBe(1);
  });

  it.each(['message', 'keepalive', 'partial'] as const)('a %s takes the miss back', async (what) => {
    const { h, transport } = await watched(silent);
    await untilPinged(h, { transport });
    await h.time.advance(intervalMs);
    if (what === 'partial') transport.bytesReceived += 1;
    else transport[what]();
    await h.time.advance(intervalMs);
    expect(missesOf(h)).toEqual([1]);
    expect(h.countOf('ada')).toBe(1);
  });

  it('nor is one of which others learn: whoever is released meanwhile has nobody visited twice', async () => {
    const h = harness();
    const clients: Client[] = [];
    for (let i = 0; i <= 100; i++) clients.push(await h.connect(`user${i}`, 'thread_1', i === 100 ? silent : remote));
    const last = clients[100]!;
    h.mooring.on('heartbeat.missed', () => h.mooring.release(clients[0]!.manager.key));
    await untilPinged(h, last);
    await h.time.advance(intervalMs);
    expect(missesOf(h)).toEqual([1]);
    expect(last.manager.isReleased).toBe(false);
  });
});

describe('orca#12841, #11300: a tick that came late', () => {
  const pinged = async () => {
    const made = await watched(silent);
    await untilPinged(made.h, made);
    return made;
  };

  it('is made up for one poll phase later: an answer that had waited is heard', async () => {
    const { h, transport } = await pinged();
    await h.time.advance(intervalMs - phaseMs / 2);
    h.time.stall(10_000);
    h.time.afterPoll(() => {
      transport.pong(transport.pings[0]!);
    });
    await h.time.advance(2 * phaseMs);
    expect(missesOf(h)).toEqual([]);
  });

  it.each([
    [200, 100],
    [400, 50],
    [1_000, 100],
  ])('still finds the dead where the process stalls %i ms of every %i ms more', async (stalledMs, freeMs) => {
    const { h } = await watched({ ...silent, isNew: true });
    const neighbour = await h.connect('ada', 'thread_healthy', { ...remote, pongAfterMs: 5 });
    for (let passed = 0; passed < 300_000; passed += stalledMs + freeMs) {
      h.time.stall(stalledMs);
      await h.time.advance(freeMs);
    }
    expect(h.said('manager.released')).toMatchObject([{ threadId: 'thread_1', reason: 'disconnected' }]);
    expect(neighbour.manager.isReleased).toBe(false);
  });

  it('forgives no miss', async () => {
    const { h } = await pinged();
    await h.time.advance(intervalMs);
    expect(missesOf(h)).toEqual([1]);
    h.time.stall(10_000);
    await h.time.advance(intervalMs + 2 * phaseMs);
    expect(missesOf(h)).toEqual([1, 2]);
    expect(h.countOf('ada')).toBe(0);
  });
});

describe('orca#9885: the timer', () => {
  it('is armed with the first connection and disarmed with the last', () => {
    const { heartbeat: beat, connection } = heartbeat();
    expect(beat.isArmed).toBe(false);
    const [first, second] = [connection(), connection()];
    beat.add(first.connection);
    beat.add(second.connection);
    expect(beat.isArmed).toBe(true);
    beat.remove(first.connection);
    expect(beat.isArmed).toBe(true);
    beat.remove(second.connection);
    expect(beat.isArmed).toBe(false);
  });

  it('is armed again with the next first one', async () => {
    const { time, heartbeat: beat, connection } = heartbeat();
    const first = connection();
    beat.add(first.connection);
    beat.remove(first.connection);
    beat.remove(first.connection);
    await time.advance(60_000);
    const second = connection();
    beat.add(second.connection);
    await time.advance(intervalMs + phaseMs);
    expect(second.transport.pings).toHaveLength(1);
    expect(first.transport.pings).toEqual([]);
  });

  it('is disarmed with the last dead one', async () => {
    const { time, heartbeat: beat, connection, dead } = heartbeat();
    beat.add(connection(silent).connection);
    await time.advance(3 * intervalMs + phaseMs);
    expect(dead).toEqual(['silent']);
    expect(beat.isArmed).toBe(false);
  });

  it('is one for all connections', () => {
    const { time, heartbeat: beat, connection } = heartbeat();
    const before = time.pendingTimers;
    for (let i = 0; i < 1_000; i++) beat.add(connection().connection);
    expect(time.pendingTimers - before).toBe(1);
  });

  it('is gone when there is no connection left in a Mooring', async () => {
    const h = harness();
    const { transport } = await h.connect('ada', 'thread_1', remote);
    transport.vanish();
    await h.time.advance(60_001);
    expect(h.time.pendingTimers).toBe(0);
  });

  it('is gone after disposal', () => {
    const { heartbeat: beat, connection } = heartbeat();
    beat.add(connection().connection);
    beat.dispose();
    expect(beat.isArmed).toBe(false);
  });
});

describe('the pings of many who connect at once', () => {
  it('are spread over a sixth of an interval', async () => {
    const { time, clock, heartbeat: beat, connection } = heartbeat();
    const many = Array.from({ length: 500 }, () => connection());
    for (const { connection: each } of many) beat.add(each);
    const perMoment = new Map<number, number>();
    let before = 0;
    for (let passed = 0; passed <= intervalMs; passed += phaseMs) {
      await time.advance(phaseMs);
      const pings = many.reduce((sum, { transport }) => sum + transport.pings.length, 0);
      if (pings > before) perMoment.set(clock.now(), pings - before);
      before = pings;
    }
    expect(before).toBe(500);
    expect(perMoment.size).toBe(16);
    expect(new Set(perMoment.values())).toEqual(new Set([31, 32]));
  });
});

describe('before a heartbeat verdict', () => {
  it('the sockets are looked at once more', async () => {
    const { time, heartbeat: beat, connection, dead } = heartbeat();
    const { transport, connection: each } = connection(silent);
    beat.add(each);
    let looks = 0;
    const afterPoll = time.afterPoll.bind(time);
    time.afterPoll = (callback) => {
      afterPoll(() => {
        looks += 1;
        transport.message();
        callback();
      });
    };
    await time.advance(3 * intervalMs + phaseMs);
    expect(looks).toBe(1);
    expect(dead).toEqual([]);
  });

  it('a connection that was taken over meanwhile is left alone', async () => {
    const { time, heartbeat: beat, connection, dead } = heartbeat();
    const { connection: each } = connection(silent);
    beat.add(each);
    const afterPoll = time.afterPoll.bind(time);
    time.afterPoll = (callback) => {
      beat.remove(each);
      afterPoll(callback);
    };
    await time.advance(3 * intervalMs + phaseMs);
    expect(dead).toEqual([]);
  });
});

describe('a connection whose data is stuck', () => {
  /** From the last byte to the first visit after slowConsumerTimeoutMs. */
  const withinMs = 60_000 + intervalMs + phaseMs;

  it.each([
    ['unsent', 'sendStuck'],
    ['not read', 'pause'],
  ] as const)('%s is not called dead within slowConsumerTimeoutMs, and is 1013 slow after it', async (_, how) => {
    const { h, transport } = await watched(remote);
    await h.time.advance(60_000);
    transport.message();
    transport.fallSilent();
    if (how === 'pause') transport.isReadingPaused = true;
    else transport.sendStuck();
    await h.time.advance(59_999);
    expect(h.countOf('ada')).toBe(1);
    expect(missesOf(h)).toEqual([]);
    await h.time.advance(withinMs - 59_999);
    expect(h.said('manager.released')).toMatchObject([
      { reason: 'disconnected', closeCause: 'slow', finding: 'stuck' },
    ]);
    expect(transport.closes).toEqual([{ code: 1013, reason: 'slow' }]);
  });

  it('but leaves, however slowly, is alive', async () => {
    const { h, transport } = await watched(silent);
    transport.sendStuck(2 ** 20);
    for (let i = 0; i < 20; i++) {
      await h.time.advance(20_000);
      transport.bytesSent += 1;
      transport.unsentBytes -= 1;
    }
    expect(h.countOf('ada')).toBe(1);
  });

  it('and whose peer is gone is freed in the end, once the data has left into nothing', async () => {
    const { h, transport } = await watched(remote);
    transport.sendStuck(2 ** 20);
    transport.fallSilent();
    await h.time.advance(20_000);
    transport.unsentBytes = 0;
    await h.time.advance(60_000 + 3 * intervalMs);
    expect(h.said('manager.released')).toMatchObject([{ reason: 'disconnected' }]);
  });
});

describe('a short interval', () => {
  it.each([100, 250, 1_000, 3_000])(
    'of %i ms charges nobody for timers that were late',
    async (heartbeatIntervalMs) => {
      const h = harness({ config: { heartbeatIntervalMs } });
      await h.fill('ada', 10, remote);
      for (let i = 0; i < 100; i++) {
        h.time.stall(95);
        await h.time.advance(25);
      }
      expect(missesOf(h)).toEqual([]);
      expect(h.countOf('ada')).toBe(10);
    },
  );

  it('still finds the dead', async () => {
    const h = harness({ config: { heartbeatIntervalMs: 1_000 } });
    await h.connect('ada', 'thread_1', silent);
    for (let i = 0; i < 40; i++) {
      h.time.stall(95);
      await h.time.advance(5);
    }
    expect(h.said('manager.released')).toMatchObject([{ reason: 'disconnected' }]);
  });
});

describe('the timer of the heartbeat', () => {
  it('goes with the last connection', () => {
    const made = heartbeat();
    const [first, second] = [made.connection(), made.connection()];
    for (const { connection } of [first, second]) made.heartbeat.add(connection);
    made.heartbeat.remove(first.connection);
    expect(made.heartbeat.isArmed).toBe(true);
    made.heartbeat.remove(second.connection);
    expect(made.heartbeat.isArmed).toBe(false);
  });
});

describe('a connection that closed and did not say so', () => {
  it('is found at its next visit, as closed', async () => {
    const made = heartbeat();
    const { connection, transport } = made.connection();
    made.heartbeat.add(connection);
    transport.closes.push({ code: 1006, reason: 'nobody said so' });
    await made.time.advance(intervalMs / 5);
    expect(made.dead).toEqual(['closed']);
  });

  it('is released as one that is silent, with what was found', async () => {
    const { h, transport } = await watched();
    transport.closes.push({ code: 1006, reason: 'nobody said so' });
    await h.time.advance(intervalMs / 5);
    expect(h.said('manager.released')).toMatchObject([{ by: 'heartbeat', closeCause: 'silent', finding: 'closed' }]);
  });
});

describe('a ping behind unsent data', () => {
  it('is sent once, and none behind it', async () => {
    const made = heartbeat();
    const { connection, transport } = made.connection(silent);
    made.heartbeat.add(connection);
    transport.sendStuck();
    await made.time.advance(2.5 * intervalMs);
    expect(transport.pings).toHaveLength(1);
    expect(made.dead).toEqual([]);
    transport.unsentBytes = 0;
    await made.time.advance(intervalMs);
    expect(transport.pings).toHaveLength(2);
  });
});

describe('a manager that is released because a heartbeat was missed', () => {
  it('is pinged no more', async () => {
    const { h, transport } = await watched(silent);
    h.mooring.on('heartbeat.missed', ({ key }) => void h.mooring.release(key));
    await h.time.advance(3 * intervalMs);
    expect(missesOf(h)).toEqual([1]);
    expect(transport.pings).toHaveLength(1);
  });
});

describe('a connection that is introduced', () => {
  it('is asked once', () => {
    const made = heartbeat();
    const { connection, transport } = made.connection(silent);
    made.heartbeat.pingIfNew(connection);
    made.heartbeat.pingIfNew(connection);
    expect(transport.pings).toHaveLength(1);
  });

  it('is not asked where its round trip is known, however short', () => {
    const made = heartbeat();
    const { connection, transport } = made.connection();
    connection.roundTripMs = 0;
    made.heartbeat.pingIfNew(connection);
    expect(transport.pings).toEqual([]);
  });
});

describe('when a silent connection will be found dead', () => {
  it.each([0.3, 0.6, 1.3, 1.6])('is said within three phases, after %d intervals', async (intervals) => {
    const made = heartbeat();
    const { connection } = made.connection(silent);
    made.heartbeat.add(connection);
    await made.time.advance(intervals * intervalMs);
    const endsInMs = made.heartbeat.endsInMs(connection)!;
    await made.time.advance(endsInMs - 3 * phaseMs);
    expect(made.dead).toEqual([]);
    await made.time.advance(3 * phaseMs);
    expect(made.dead).toEqual(['silent']);
  });

  it('is not said of one that is not visited', () => {
    const made = heartbeat();
    expect(made.heartbeat.endsInMs(made.connection(silent).connection)).toBeNull();
  });

  it('is not said of one with unsent data', async () => {
    const made = heartbeat();
    const { connection, transport } = made.connection(silent);
    made.heartbeat.add(connection);
    transport.sendStuck();
    await made.time.advance(0.5 * intervalMs);
    expect(made.heartbeat.endsInMs(connection)).toBeNull();
  });
});

describe('the unsent bytes of all connections', () => {
  it('are those of the last visit to each', async () => {
    const made = heartbeat();
    const [one, other] = [made.connection(), made.connection()];
    for (const { connection } of [one, other]) made.heartbeat.add(connection);
    one.transport.sendStuck(300);
    other.transport.sendStuck(500);
    expect(made.heartbeat.unsentBytes).toEqual({ sum: 0, largest: 0 });
    await made.time.advance(intervalMs / 5);
    expect(made.heartbeat.unsentBytes).toEqual({ sum: 800, largest: 500 });
    other.transport.unsentBytes = 0;
    await made.time.advance(intervalMs);
    expect(made.heartbeat.unsentBytes).toEqual({ sum: 300, largest: 300 });
  });
});

describe('a client that sends messages and answers no ping', () => {
  it('is told of after two intervals, not before', async () => {
    const { h, transport } = await watched({ ...silent, isNew: true });
    for (let passed = 0; passed < 50_000; passed += 5_000) {
      transport.message();
      await h.time.advance(5_000);
    }
    expect(h.said('connection.neverAnswers')).toEqual([]);
    for (let passed = 0; passed < 30_000; passed += 5_000) {
      transport.message();
      await h.time.advance(5_000);
    }
    expect(h.said('connection.neverAnswers')).toHaveLength(1);
  });
});
