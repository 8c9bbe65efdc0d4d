import { describe, expect, it } from 'vitest';
import { routineStrategies } from '../../../src/core/cleanup/playbook.js';
import type { RoutineStrategy } from '../../../src/core/cleanup/strategies/victim.js';
import { compose } from '../../../src/core/compose.js';
import { loadWebSocketConfig } from '../../../src/index.js';
import { FakeConnection, SimulatedTime } from '../../../src/testing/index.js';
import { remote, seeded } from '../support.js';

const afterMs = 90_000;

/** A strategy that no other file knows: a manager may last for 90 s. */
const shortLived: RoutineStrategy = {
  usesProbe: false,
  dueAtMs: ({ admittedAtMs }) => admittedAtMs + afterMs,
  choose: (managers, { nowMs }) =>
    [...managers]
      .filter(({ admittedAtMs }) => nowMs - admittedAtMs >= afterMs)
      .map((manager) => ({ manager, strategy: 'idle', reason: 'idle' })),
};

/** The parts of a Mooring with that strategy, a connection, and what was released in the background. */
async function withShortLived(overrides: { readonly idleManagerTimeoutMs?: null } = {}) {
  const time = new SimulatedTime();
  const config = { ...loadWebSocketConfig({ environment: 'production', env: {} }), ...overrides };
  const strategies = [...routineStrategies, shortLived];
  const parts = compose({ config, time, random: seeded(1), strategies });
  const released: string[] = [];
  parts.events.on('manager.released', ({ threadId, by }) => {
    if (by === 'background') released.push(threadId);
  });
  const transport = new FakeConnection({ ...remote, time });
  const { connection } = await parts.connector.connect(transport, { userId: 'ada', threadId: 'thread_1' });
  transport.bind(connection!);
  return { time, parts, transport, released };
}

describe('a strategy with a criterion of its own', () => {
  it('is applied by the first background cycle after its time', async () => {
    const { time, transport, released } = await withShortLived();
    await time.advance(60_000);
    transport.message();
    await time.advance(59_999);
    expect(released).toEqual([]);
    await time.advance(1);
    expect(released).toEqual(['thread_1']);
  });

  it('is applied to managers that are never idle', async () => {
    const { time, released } = await withShortLived({ idleManagerTimeoutMs: null });
    await time.advance(120_000);
    expect(released).toEqual(['thread_1']);
  });

  it('is in the preview of a background cycle', async () => {
    const { time, parts } = await withShortLived();
    await time.advance(afterMs);
    const preview = parts.requested.previewBackground();
    await time.settle();
    expect((await preview).chosen).toMatchObject([{ threadId: 'thread_1' }]);
    await time.advance(60_000);
  });
});
