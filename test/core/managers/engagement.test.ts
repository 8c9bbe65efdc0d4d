import { describe, expect, it } from 'vitest';
import {
  engagedUntilMs,
  isEngaged,
  timeToFloorMs,
  type EngagementRule,
} from '../../../src/core/managers/engagement.js';
import { harness, remote } from '../support.js';

const rule: EngagementRule = { floorMs: 60_000, streamingWindowMs: 5_000, idleManagerTimeoutMs: 600_000 };
const undisturbed = { backgroundCleanupIntervalMs: 86_400_000 };

/** A client that connected at 0, on a clock where nothing but time happens. */
async function client() {
  const h = harness({ config: undisturbed });
  return { h, ...(await h.connect('ada', 'thread_1', remote)) };
}

describe('a manager is engaged', () => {
  it.each([
    [59_999, true],
    [60_000, false],
    [60_001, false],
  ])('%i ms after inbound activity: %s', async (ageMs, expected) => {
    const { h, manager, transport } = await client();
    await h.time.advance(1_000);
    transport.message();
    await h.time.advance(ageMs);
    expect(isEngaged(manager, rule)).toBe(expected);
    expect(engagedUntilMs(manager, rule)).toBe(61_000);
  });

  it.each([
    [4_999, true],
    [5_000, false],
    [5_001, false],
  ])('%i ms after outbound activity, the client silent for minutes: %s', async (ageMs, expected) => {
    const { h, manager, transport } = await client();
    await h.time.advance(200_000);
    transport.send();
    await h.time.advance(ageMs);
    expect(isEngaged(manager, rule)).toBe(expected);
  });

  it.each([
    [599_999, true],
    [600_000, false],
    [600_001, false],
  ])('while something is sent, %i ms after the client was last active: %s', async (ageMs, expected) => {
    const { h, manager, transport } = await client();
    await h.time.advance(ageMs);
    transport.send();
    expect(isEngaged(manager, rule)).toBe(expected);
  });

  it('while it is held, however long ago anything happened', async () => {
    const { h, manager } = await client();
    const letGo = manager.hold();
    await h.time.advance(599_999);
    expect(isEngaged(manager, rule)).toBe(true);
    letGo();
    expect(isEngaged(manager, rule)).toBe(true);
    await h.time.advance(60_000);
    expect(isEngaged(manager, rule)).toBe(false);
  });

  it('while its hold lasts, and no longer', async () => {
    const { h, manager } = await client();
    manager.hold();
    await h.time.advance(600_000);
    expect(isEngaged(manager, rule)).toBe(false);
  });
});

describe('not inbound activity', () => {
  it.each<[string, (made: Awaited<ReturnType<typeof client>>) => void]>([
    ['a pong', ({ transport }) => transport.pong('m1.x')],
    ['a keepalive', ({ transport }) => transport.keepalive()],
    ['a message that is sent', ({ transport }) => transport.send()],
  ])('is %s', async (_, act) => {
    const made = await client();
    await made.h.time.advance(50_000);
    act(made);
    await made.h.time.advance(10_000);
    expect(isEngaged(made.manager, rule)).toBe(false);
  });

  it('is a message that does not leave the process', async () => {
    const { h, manager, transport } = await client();
    await h.time.advance(200_000);
    transport.sendStuck();
    expect(isEngaged(manager, rule)).toBe(false);
  });
});

describe('the time to the floor', () => {
  it.each([
    [0, 60_000],
    [59_999, 1],
    [60_000, 0],
    [60_001, 0],
  ])('%i ms after inbound activity is %i ms', async (ageMs, expected) => {
    const { h, manager } = await client();
    await h.time.advance(ageMs);
    expect(timeToFloorMs(manager, rule)).toBe(expected);
  });

  it('is the whole floor for one that is held', async () => {
    const { h, manager } = await client();
    manager.hold();
    await h.time.advance(100_000);
    expect(timeToFloorMs(manager, rule)).toBe(60_000);
  });

  it.each([58_000, 100_000])('is the whole floor for one that streams, %i ms after inbound activity', async (ageMs) => {
    const { h, manager, transport } = await client();
    await h.time.advance(ageMs);
    transport.send();
    expect(timeToFloorMs(manager, rule)).toBe(60_000);
  });

  it('is nothing for one that sends to a client gone idle', async () => {
    const { h, manager, transport } = await client();
    await h.time.advance(600_000);
    transport.send();
    expect(timeToFloorMs(manager, rule)).toBe(0);
  });
});

describe('output and held runs', () => {
  it('Cogtrix#2256: a client that is streamed to is not evicted', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    const { transport, connection } = await h.connect('ada', 'thread_1', remote);
    for (let atMs = 0; atMs < 300_000; atMs += 4_000) {
      await h.time.advance(4_000);
      transport.send();
    }
    const newcomer = h.arrive('ada', 'thread_2', remote);
    await h.time.advance(1_000);
    expect(newcomer.outcome?.refusal?.code).toBe('quota.exceeded');
    expect(connection.isCurrent).toBe(true);
  });

  it('Cogtrix#2256, kin#52: a client that is streamed to is not idle', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    const { transport, manager } = await h.connect('ada', 'thread_1', remote);
    for (let atMs = 0; atMs < 1_200_000; atMs += 30_000) {
      await h.time.advance(30_000);
      transport.send();
    }
    expect(manager.state).toBe('attached');
  });

  it('kin#52: a held run that says nothing for minutes is not idle', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    const { manager } = await h.connect('ada', 'thread_1', remote);
    manager.hold();
    await h.time.advance(500_000);
    expect(manager.state).toBe('attached');
  });
});
