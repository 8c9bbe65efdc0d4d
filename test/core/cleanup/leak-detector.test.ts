import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { WebSocketManager } from '../../../src/index.js';
import { harness, type Harness } from '../support.js';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** What the engine would do sooner or later, and what it tells of it. */
async function collect(): Promise<void> {
  for (let round = 0; round < 4; round++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

const found = (h: Harness) => h.said('leak.found').map(({ key, what }) => [key, what]);
const gone = (h: Harness) => h.said('leak.gone').map(({ key, what }) => [key, what]);

/** Admits and releases so many; nobody keeps them. */
async function comeAndGo(h: Harness, count: number): Promise<void> {
  for (let i = 1; i <= count; i++) {
    const { connection } = await h.connect(`user-${i}`, 'thread_1');
    connection.vanish();
  }
  h.arrivals.length = 0;
}

describe('the leak detector', () => {
  it('says nothing of managers that nobody keeps', async () => {
    const h = harness({ config: { leakDetection: 'all' } });
    await comeAndGo(h, 50);
    await h.time.advance(120_000);
    await collect();
    expect(found(h)).toEqual([]);
  });

  it('reports a released manager that is kept, once, with who admitted it, and again when it is gone', async () => {
    const h = harness({ config: { leakDetection: 'all' } });
    await comeAndGo(h, 3);
    const kept = [await keepOne(h)];
    h.arrivals.length = 0;
    await h.time.advance(120_000);
    await collect();
    await h.time.advance(120_000);
    await collect();
    expect(found(h)).toEqual([['ada:thread_kept', 'manager']]);
    const [leak] = h.said('leak.found');
    expect(leak?.admittedBy.join('\n')).toContain('leak-detector.test');
    expect(leak?.releasedForMs).toBeGreaterThanOrEqual(60_000);
    expect([kept.length, gone(h)]).toEqual([1, []]);
    kept.length = 0;
    await collect();
    expect(gone(h)).toEqual([['ada:thread_kept', 'manager']]);
  });

  it('says nothing of one that is kept while it holds its slot', async () => {
    const h = harness({ config: { leakDetection: 'all' } });
    const { manager, connection } = await h.connect('ada', 'thread_1');
    for (let i = 0; i < 20; i++) {
      connection.message();
      await h.time.advance(60_000);
    }
    await collect();
    expect([manager.state, found(h)]).toEqual(['attached', []]);
  });

  it('reports a socket that is open after it was destroyed, once, and again when it is not', async () => {
    const h = harness({ config: { leakDetection: 'all' } });
    const { connection, manager } = await h.connect('ada', 'thread_1', { pongAfterMs: null, closeAfterMs: null });
    let isOpen = true;
    connection.terminate = () => undefined;
    Object.defineProperty(connection, 'isOpen', { get: () => isOpen });
    h.mooring.factory.cleanupManager(manager.key);
    await h.time.advance(300_000);
    expect(found(h)).toEqual([['ada:thread_1', 'socket']]);
    isOpen = false;
    await h.time.advance(300_000);
    expect([found(h).length, gone(h)]).toEqual([1, [['ada:thread_1', 'socket']]]);
  });

  it.each([
    ['off', 0],
    ['sampled', 1],
  ] as const)('that is %s follows %i of a hundred', async (leakDetection, count) => {
    let turn = 0;
    const h = harness({ config: { leakDetection }, random: () => (turn++ % 100) / 100 });
    const kept: WebSocketManager[] = [];
    for (let i = 0; i < 100; i++) {
      turn = i;
      kept.push(await h.mooring.factory.createManager({ userId: `user-${i}`, threadId: 'thread_1' }));
    }
    for (const { key } of kept) h.mooring.factory.cleanupManager(key);
    await h.time.advance(120_000);
    await collect();
    expect([kept.length, found(h).length]).toEqual([100, count]);
  });

  it('says nothing after stop(), and leaves no timer', async () => {
    const h = harness({ config: { leakDetection: 'all' } });
    const kept = await keepOne(h);
    const stopped = h.mooring.stop();
    await h.time.advance(10_000);
    await stopped;
    expect(h.time.pendingTimers).toBe(0);
    await collect();
    expect([kept.state, found(h)]).toEqual(['released', []]);
  });
});

async function keepOne(h: Harness): Promise<WebSocketManager> {
  const manager = await h.mooring.factory.createManager({ userId: 'ada', threadId: 'thread_kept' });
  h.mooring.factory.cleanupManager(manager.key);
  return manager;
}
