import { describe, expect, it } from 'vitest';
import { Refusals } from '../../../src/core/admission/refusals.js';
import {
  AuthenticationError,
  loadWebSocketConfig,
  MalformedContextError,
  type ErrorCode,
  type RefusalError,
  type WebSocketConfig,
} from '../../../src/index.js';
import { harness, remote, type Client } from '../support.js';

const least = () => 0;
const middle = () => 0.5;
const most = () => 1 - Number.EPSILON;

function refusals(random = middle, overrides: Partial<WebSocketConfig> = {}): Refusals {
  return new Refusals(loadWebSocketConfig({ env: {}, environment: 'production', overrides }), random);
}

interface Row {
  readonly name: string;
  readonly make: (made: Refusals) => RefusalError;
  readonly code: ErrorCode;
  readonly close: readonly [number, string];
}

/** A quota of 20 that is full. */
const full = (firstFreeInMs: number) => ({ limit: 20, firstFreeInMs, ahead: 0 });

describe('each refusal', () => {
  const malformed = new MalformedContextError('threadId', 'is missing');
  const unauthenticated = new AuthenticationError('expired');
  const table: Row[] = [
    {
      name: 'quota',
      make: (made) => made.quota(full(30_000)),
      code: 'quota.exceeded',
      close: [1013, 'quota;retry=30.00;max=20'],
    },
    {
      name: 'capacity',
      make: (made) => made.capacity(5),
      code: 'capacity.exceeded',
      close: [1013, 'capacity;retry=10.00'],
    },
    {
      name: 'contested',
      make: (made) => made.contested(),
      code: 'key.contested',
      close: [1013, 'contested;retry=10.00'],
    },
    { name: 'draining', make: (made) => made.draining(), code: 'server.draining', close: [1012, 'drain;retry=5.00'] },
    { name: 'replaced', make: (made) => made.replaced(), code: 'key.replaced', close: [4409, 'replaced'] },
    { name: 'expired', make: (made) => made.expired(), code: 'ticket.expired', close: [1013, 'unattached'] },
    {
      name: 'released',
      make: (made) => made.released('requested'),
      code: 'manager.released',
      close: [4412, 'requested'],
    },
    {
      name: 'logged out',
      make: (made) => made.released('unauthenticated'),
      code: 'manager.released',
      close: [4401, 'unauthenticated'],
    },
    {
      name: 'released by the drain',
      make: (made) => made.released('drain'),
      code: 'server.draining',
      close: [1012, 'drain;retry=5.00'],
    },
    { name: 'cancelled', make: (made) => made.cancelled(), code: 'admission.cancelled', close: [1000, 'closed'] },
    {
      name: 'malformed',
      make: (made) => made.malformed(malformed),
      code: 'context.malformed',
      close: [1008, 'threadId is missing'],
    },
    {
      name: 'unauthenticated',
      make: (made) => made.unauthenticated(unauthenticated),
      code: 'credentials.rejected',
      close: [4401, 'expired'],
    },
    {
      name: 'authentication failed',
      make: (made) => made.authenticationFailed(),
      code: 'authentication.failed',
      close: [1011, 'authentication;retry=10.00'],
    },
  ];
  it.each(table)('$name has its code and close frame', ({ make, code, close: [closeCode, reason] }) => {
    expect(make(refusals())).toMatchObject({ code, close: { code: closeCode, reason } });
  });

  it.each(table)('$name says in a sentence why', ({ name, make }) => {
    expect(make(refusals()).message).toMatch(name === 'malformed' ? /^threadId is missing$/ : /^[A-Z].{20,}\.$/);
  });

  it('says how many connections there may be, or how long a ticket lasts', () => {
    expect(refusals().capacity(5).message).toContain(' 5 ');
    expect(refusals().expired().message).toContain('10000 ms');
  });

  it('follows a close-code profile', () => {
    expect(refusals(middle, { closeCodes: { quota: 4000 } }).quota(full(1_000)).close.code).toBe(4000);
    expect(refusals(middle, { closeCodes: { quota: 4000 } }).contested().close.code).toBe(1013);
    expect(refusals(middle, { closeCodes: { replaced: 4001 } }).replaced().close.code).toBe(4001);
  });

  it('keeps its reason within 123 bytes', () => {
    const { reason } = refusals().unauthenticated(new AuthenticationError('ü'.repeat(200))).close;
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
  });
});

describe('the advice to come back', () => {
  it.each([
    { at: 'least', random: least, quota: 8_000, other: 5_000, drain: 2_500 },
    { at: 'middle', random: middle, quota: 10_000, other: 10_000, drain: 5_000 },
    { at: 'most', random: most, quota: 12_000, other: 15_000, drain: 7_500 },
  ])('is spread by 20 % for the quota and 50 % else (at the $at)', ({ random, quota, other, drain }) => {
    const made = refusals(random);
    expect(made.quota(full(10_000)).retryAfterMs).toBeCloseTo(quota, 6);
    expect(made.contested().retryAfterMs).toBeCloseTo(other, 6);
    expect(made.capacity(1).retryAfterMs).toBeCloseTo(other, 6);
    expect(made.draining().retryAfterMs).toBeCloseTo(drain, 6);
  });

  it.each([
    [0, 1_000],
    [999, 1_000],
    [1_000, 1_000],
    [1_001, 1_001],
  ])('after a full quota is at least a second: %i ms to wait, told %i', (waitMs, retryAfterMs) => {
    expect(refusals().quota(full(waitMs)).retryAfterMs).toBe(retryAfterMs);
  });

  it('differs from one refusal to the next', () => {
    const h = harness({ config: { maxManagersPerUser: 0 } });
    const retries = Array.from({ length: 20 }, (_, i) => h.refusal('ada', `thread_${i}`).retryAfterMs);
    expect(new Set(retries).size).toBe(20);
  });
});

describe('a quota refusal', () => {
  /** What a newcomer is told that comes after `ageMs`, before which `live` said what a user's two managers did. */
  const retryAfter = async (
    ageMs: number,
    live: (clients: Client[], advance: (ms: number) => Promise<void>) => unknown,
  ) => {
    const h = harness({ random: middle, config: { maxManagersPerUser: 2 } });
    const clients = await h.fill('ada', 2, remote);
    await live(clients, (ms) => h.time.advance(ms));
    await h.time.advance(ageMs - h.time.now());
    const { connected } = h.arrive('ada', 'thread_3', remote);
    await h.time.advance(20);
    const { refusal } = await connected;
    return refusal?.retryAfterMs;
  };

  it.each([
    [0, 59_980],
    [20_000, 39_980],
    [58_000, 1_980],
    [59_500, 1_000],
  ])('%i ms after the last activity tells when the floor is passed: in %i ms', async (ageMs, retryAfterMs) => {
    expect(await retryAfter(ageMs, () => {})).toBe(retryAfterMs);
  });

  it('tells of the manager that passes the floor first', async () => {
    const told = retryAfter(50_000, async ([first], advance) => {
      await advance(30_000);
      first!.transport.message();
    });
    expect(await told).toBe(9_980);
  });

  it('counts held managers as the whole floor', async () => {
    const told = retryAfter(70_000, (clients) => clients.map(({ manager }) => manager.hold()));
    expect(await told).toBe(60_000);
  });

  it('counts a held manager as the whole floor, though its own would pass earlier', async () => {
    const told = retryAfter(50_000, async ([first, second], advance) => {
      first!.manager.hold();
      await advance(40_000);
      second!.transport.message();
    });
    expect(await told).toBe(49_980);
  });

  it.each([70_000, 58_000])(
    'counts streaming managers as the whole floor, %i ms after the last word',
    async (ageMs) => {
      const told = retryAfter(ageMs, async (clients, advance) => {
        await advance(ageMs - 1_000);
        for (const { transport } of clients) transport.send();
      });
      expect(await told).toBe(60_000);
    },
  );

  it('tells the limit and seconds with two decimals in its close reason', async () => {
    const h = harness({ random: middle, config: { maxManagersPerUser: 1 } });
    await h.connect('ada', 'thread_1', remote);
    await h.time.advance(20_000);
    const { transport } = h.arrive('ada', 'thread_2', remote);
    await h.time.advance(20);
    expect(transport.closes).toEqual([{ code: 1013, reason: 'quota;retry=39.98;max=1' }]);
  });

  it('is announced with what the client is told', async () => {
    const h = harness({ random: middle, config: { maxManagersPerUser: 1 } });
    await h.connect('ada', 'thread_1', remote);
    h.arrive('ada', 'thread_2', remote);
    await h.time.advance(20);
    expect(h.said('admission.refused')).toMatchObject([
      { threadId: 'thread_2', code: 'quota.exceeded', closeCause: 'quota', retryAfterMs: 59_980, waitedMs: 20 },
    ]);
  });

  it('gives the socket the close grace, then destroys it', async () => {
    const h = harness({ config: { maxManagersPerUser: 0 } });
    const { transport } = h.arrive('ada', 'thread_1', { closeAfterMs: null });
    await h.time.advance(999);
    expect(transport.isTerminated).toBe(false);
    await h.time.advance(1);
    expect(transport.isTerminated).toBe(true);
  });
});

describe('graphql-ws, phoenix.js, partysocket: codes are advice', () => {
  it('a client that comes back at once whatever it is told costs one run a second, and nothing stays behind', async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    const [one, other] = await h.fill('ada', 2, remote);
    for (let round = 0; round < 200; round++) {
      h.arrive('ada', `thread_again${round}`, remote);
      for (const { transport } of [one!, other!]) transport.message();
      await h.time.advance(50);
    }
    await h.time.advance(3_000);
    expect(h.arrivals.slice(2).every(({ outcome }) => outcome?.refusal?.code === 'quota.exceeded')).toBe(true);
    expect(h.said('cleanup.completed').length).toBeLessThanOrEqual(12);
    expect(h.threadsOf('ada')).toEqual(['thread_1', 'thread_2']);
  });
});
