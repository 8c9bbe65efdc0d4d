import { describe, expect, it } from 'vitest';
import { harness, remote, silent, type Harness } from '../support.js';

const cycleMs = 60_000;

const levelsOf = (h: Harness): string[] =>
  h.said('level.changed').map(({ previous, level, direction }) => `${previous} ${direction} ${level}`);

/** The cleanups that levels made. */
const actionsOf = (h: Harness) => h.said('cleanup.completed').filter(({ trigger }) => trigger === 'level');

describe('a level that rises', () => {
  it('is announced, each once, with what it is about', async () => {
    const h = harness();
    await h.fill('ada', 20, remote);
    expect(levelsOf(h)).toEqual([
      'normal rise info',
      'info rise warning',
      'warning rise critical',
      'critical rise emergency',
    ]);
    expect(h.said('level.changed')[1]).toMatchObject({
      userId: 'ada',
      managerCount: 12,
      maxManagers: 20,
      usageRatio: 0.6,
    });
  });

  it.each([
    ['info', 8, 0],
    ['warning', 12, 1],
    ['critical', 16, 1],
    ['emergency', 18, 1],
  ])('to %s cleans up %i managers: %i times', async (level, count, times) => {
    const h = harness();
    await h.fill('ada', count - 1, remote);
    await h.time.advance(5_000);
    const before = actionsOf(h).length;
    await h.connect('ada', 'thread_more', remote);
    expect(h.mooring.monitor.levelOf('ada')).toBe(level);
    expect(actionsOf(h).length - before).toBe(times);
  });

  it('is looked at after the admission, which it never delays', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    await h.connect('ada', 'thread_1', remote);
    const names = h.events.map(({ type }) => type);
    expect(names.indexOf('manager.admitted')).toBeLessThan(names.indexOf('level.changed'));
  });

  it.each([4_999, 5_000])('%i ms after the last action', async (afterMs) => {
    const h = harness();
    await h.fill('ada', 12, remote);
    await h.time.advance(afterMs);
    await h.fill('ada', 4, { prefix: 'more', ...remote });
    expect(h.mooring.monitor.levelOf('ada')).toBe('critical');
    expect(actionsOf(h)).toHaveLength(afterMs < 5_000 ? 1 : 2);
  });

  it('cools down for each user apart', async () => {
    const h = harness();
    await h.fill('ada', 12, remote);
    await h.fill('grace', 12, remote);
    expect(actionsOf(h).map(({ userId }) => userId)).toEqual(['ada', 'grace']);
  });
});

describe('a level that stays', () => {
  it.each([
    ['warning', 12, 0],
    ['critical', 16, 3],
    ['emergency', 18, 3],
  ])('at %s acts once per background cycle from critical on', async (_, count, times) => {
    const h = harness();
    await h.fill('ada', count, remote);
    const before = actionsOf(h).length;
    await h.time.advance(3 * cycleMs - 1_000);
    await h.time.advance(1_000);
    expect(actionsOf(h).length - before).toBe(times);
  });

  it('is not announced again', async () => {
    const h = harness();
    await h.fill('ada', 18, remote);
    h.mooring.monitor.checkUserResources('ada');
    await h.time.advance(cycleMs);
    expect(levelsOf(h)).toHaveLength(4);
  });
});

describe('a level that falls', () => {
  it('is announced and does nothing', async () => {
    const h = harness();
    const clients = await h.fill('ada', 12, remote);
    await h.time.advance(10_000);
    const before = actionsOf(h).length;
    for (const { transport } of clients.slice(0, 5)) transport.vanish();
    expect(levelsOf(h).slice(2)).toEqual(['warning fall info', 'info fall normal']);
    expect(actionsOf(h)).toHaveLength(before);
  });

  it('falls all at once where everybody goes', async () => {
    const h = harness();
    await h.fill('ada', 12, remote);
    h.mooring.releaseAll('ada');
    expect(h.said('level.changed').at(-1)).toMatchObject({ level: 'normal', direction: 'fall' });
  });

  it('goes with the last manager, and nothing is remembered of the user', async () => {
    const h = harness();
    await h.fill('ada', 12, remote);
    expect(h.mooring.monitor.watchedUsers).toBe(1);
    h.mooring.releaseAll('ada');
    expect(h.mooring.monitor.watchedUsers).toBe(0);
    await h.fill('ada', 12, remote);
    expect(levelsOf(h).slice(-2)).toEqual(['normal rise info', 'info rise warning']);
  });

  it('comes from a limit that was raised too, when looked at', async () => {
    let limit = 20;
    const h = harness({ limitOf: () => limit });
    await h.fill('ada', 18, remote);
    limit = 100;
    expect(h.mooring.monitor.checkUserResources('ada').alertLevel).toBe('normal');
    expect(levelsOf(h).at(-1)).toBe('emergency fall normal');
  });
});

describe('a user who is pressed', () => {
  it.each([
    [15, []],
    [16, ['ada']],
  ])('is one with %i of 20, until they are below again', async (count, pressed) => {
    const h = harness();
    const [first] = await h.fill('ada', count, remote);
    expect(h.mooring.monitor.pressedUsers()).toEqual(pressed);
    first!.transport.vanish();
    expect(h.mooring.monitor.pressedUsers()).toEqual([]);
  });

  it('is not one who has left, whatever the limit', async () => {
    const h = harness({ config: { maxManagersPerUser: 5 } });
    const clients = await h.fill('ada', 5, remote);
    expect(h.mooring.monitor.isPressed('ada')).toBe(true);
    for (const { transport } of clients) transport.vanish();
    expect(h.mooring.monitor.isPressed('ada')).toBe(false);
  });

  it('is acted on again no more, once a raised limit has them below', async () => {
    let limit = 20;
    const h = harness({ limitOf: () => limit });
    await h.fill('ada', 16, remote);
    const before = actionsOf(h).length;
    limit = 100;
    await h.time.advance(cycleMs);
    expect(actionsOf(h)).toHaveLength(before);
    expect(h.mooring.monitor.pressedUsers()).toEqual([]);
  });

  it('is not acted on again once all of them have left', async () => {
    const h = harness();
    await h.fill('ada', 16, remote);
    h.mooring.releaseAll('ada');
    const before = actionsOf(h).length;
    h.mooring.monitor.actAgain('ada');
    expect(actionsOf(h)).toHaveLength(before);
  });
});

describe('a check on request', () => {
  it('tells the level of nobody as normal', () => {
    expect(harness().mooring.monitor.levelOf('nobody')).toBe('normal');
  });

  it('tells the usage as the seed does', async () => {
    const h = harness();
    await h.fill('ada', 5, remote);
    expect(h.mooring.monitor.checkUserResources('ada')).toEqual({
      userId: 'ada',
      managerCount: 5,
      usageRatio: 0.25,
      alertLevel: 'normal',
      maxManagers: 20,
    });
  });

  it('acts on a rise nobody noticed, and tells what is left', async () => {
    let limit = 100;
    const h = harness({ limitOf: () => limit });
    const [first] = await h.fill('ada', 12, remote);
    first!.manager.fail(new Error('broken'));
    limit = 20;
    expect(h.mooring.monitor.checkUserResources('ada')).toMatchObject({ managerCount: 11, alertLevel: 'info' });
  });

  it('of nobody remembers nothing', () => {
    const h = harness();
    h.mooring.monitor.checkUserResources('nobody');
    expect(h.mooring.monitor.watchedUsers).toBe(0);
  });
});

describe('users by level', () => {
  it('are counted as they rise and fall, until the last manager goes', async () => {
    const h = harness();
    const counted = () => h.mooring.monitor.usersByLevel();
    const none = { normal: 0, info: 0, warning: 0, critical: 0, emergency: 0 };
    expect(counted()).toEqual(none);
    await h.fill('grace', 7, remote);
    const clients = await h.fill('ada', 20, remote);
    expect(counted()).toEqual({ ...none, normal: 1, emergency: 1 });
    const seen = clients.map(({ transport }) => {
      transport.vanish();
      return counted();
    });
    const at = (count: number) => seen[19 - count];
    expect([19, 18].map(at)).toEqual(Array(2).fill({ ...none, normal: 1, emergency: 1 }));
    expect([17, 16].map(at)).toEqual(Array(2).fill({ ...none, normal: 1, critical: 1 }));
    expect([15, 12].map(at)).toEqual(Array(2).fill({ ...none, normal: 1, warning: 1 }));
    expect([11, 8].map(at)).toEqual(Array(2).fill({ ...none, normal: 1, info: 1 }));
    expect([7, 1].map(at)).toEqual(Array(2).fill({ ...none, normal: 2 }));
    expect(at(0)).toEqual({ ...none, normal: 1 });
  });

  it('are as many as a walk through all of them finds, whatever happened', async () => {
    const h = harness({ config: { maxManagersPerUser: 4, forcedEviction: 'by-level' } });
    for (const [index, userId] of ['ada', 'grace', 'edsger', 'barbara', 'alan'].entries()) {
      await h.fill(userId, index, index % 2 === 0 ? remote : silent);
    }
    for (let minute = 0; minute < 5; minute++) {
      const walked = { normal: 0, info: 0, warning: 0, critical: 0, emergency: 0 };
      for (const userId of h.mooring.users()) walked[h.mooring.monitor.levelOf(userId)] += 1;
      expect(h.mooring.monitor.usersByLevel()).toEqual(walked);
      await h.connect('ada', `thread_late${minute}`, remote);
      await h.time.advance(60_000);
    }
  });

  it('are never fewer than none, to whoever looks in the middle of a release', async () => {
    const h = harness({ config: { maxManagersPerUser: 1 } });
    const seen: number[] = [];
    h.mooring.on('manager.released', () => seen.push(h.mooring.monitor.usersByLevel().normal));
    (await h.connect('ada', 'thread_1', remote)).transport.vanish();
    expect(seen).toEqual([0]);
  });
});

describe('while an emergency cleanup of the user runs', () => {
  it('levels are announced and do nothing', async () => {
    const h = harness({ config: { maxManagersPerUser: 5, cleanupCooldownMs: 0 } });
    await h.fill('ada', 3, remote);
    await h.connect('ada', 'thread_dead', silent);
    const result = h.mooring.emergencyCleanup('ada');
    const before = actionsOf(h).length;
    await h.connect('ada', 'thread_5', remote);
    expect(h.mooring.monitor.levelOf('ada')).toBe('emergency');
    expect(actionsOf(h)).toHaveLength(before);
    await h.time.advance(3_000);
    expect((await result).cleaned).toBe(1);
  });
});

describe('what is remembered', () => {
  it.each([
    [7, 0],
    [8, 1],
  ])('of a user with %i of 20 is %i level', async (count, watched) => {
    const h = harness();
    await h.fill('ada', count, remote);
    expect(h.mooring.monitor.watchedUsers).toBe(watched);
  });
});
