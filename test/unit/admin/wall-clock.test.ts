import { afterEach, describe, expect, it, vi } from 'vitest';
import { AttemptLimiter } from '../../../src/adapters/attempt-rate.js';
import { logEvents } from '../../../src/telemetry/log.js';
import { testAdmin } from './support.js';

const hourMs = 3_600_000;

afterEach(() => {
  vi.useRealTimers();
});

/** The wall clock is set to another time; nothing else changes. */
function step(byMs: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + byMs });
}

describe.each([
  ['back', -hourMs],
  ['forth', hourMs],
])('a wall clock that steps an hour %s', (_, byMs) => {
  it('does not hide who came since from the list of users, nor refresh it too often', async () => {
    const { h, api } = testAdmin();
    const listed = async (): Promise<unknown> =>
      ((await api('/users')).body as { users: { userId: string }[] }).users.map(({ userId }) => userId);
    expect(await listed()).toEqual([]);
    step(byMs);
    await h.connect('zoe', 'thread_1');
    expect(await listed()).toEqual([]);
    await h.time.advance(1_000);
    expect(await listed()).toEqual(['zoe']);
  });

  it('does not change when wrong tokens may be tried again', async () => {
    const { h, api } = testAdmin({ access: [{ token: 'a-token-for-operators', scope: 'act' }] });
    const wrong = async (): Promise<number> => (await api('/kpis', { token: 'wrong' })).status;
    for (let i = 0; i < 10; i++) expect(await wrong()).toBe(401);
    step(byMs);
    expect(await wrong()).toBe(429);
    await h.time.advance(60_000);
    expect(await wrong()).toBe(401);
  });

  it('does not change when a client may try to connect again', async () => {
    const { h } = testAdmin();
    const limiter = new AttemptLimiter({ limit: 1, windowMs: 10_000, keyOf: () => 'ada' }, { mooring: h.mooring });
    expect(limiter.check({} as never)).toBeNull();
    step(byMs);
    expect(limiter.check({} as never)).toBe(10_000);
    await h.time.advance(10_000);
    expect(limiter.check({} as never)).toBeNull();
  });

  it('does not change how many lines a kind of event gets in the log', async () => {
    const { h } = testAdmin();
    const lines: string[] = [];
    const note = (_fields: object, text: string): void => void lines.push(text);
    logEvents(h.mooring, { debug: () => undefined, info: note, warn: note, error: note });
    const reject = (): void => {
      for (let i = 0; i < 4; i++) h.mooring.events.emit('socket.rejected', { status: 403, reason: 'Forbidden' });
    };
    reject();
    step(byMs);
    reject();
    expect(lines).toHaveLength(5);
    await h.time.advance(10_000);
    reject();
    expect(lines).toHaveLength(10); // four more, and the sum of those that were left out
  });

  it('does not change the window of the success metrics, nor the uptime', async () => {
    const { h, api } = testAdmin();
    const before = h.mooring.kpis();
    step(byMs);
    await h.time.advance(1_000);
    const after = h.mooring.kpis();
    expect(after.window.durationMs - before.window.durationMs).toBe(1_000);
    const { uptimeMs } = (await api('/overview')).body as { uptimeMs: number };
    expect(uptimeMs).toBeGreaterThanOrEqual(0);
    expect(uptimeMs).toBeLessThan(60_000);
  });
});
