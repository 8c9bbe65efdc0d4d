import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { WebSocketManager } from '../../../src/index.js';
import type { FakeConnection } from '../../../src/testing/index.js';
import { harness, remote, silent, type Client, type Harness } from '../support.js';

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
    const { transport } = await h.connect(`user-${i}`, 'thread_1');
    transport.vanish();
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

  it("names the application's stack frames, the nearest first, without Node's and Mooring's own", async () => {
    const h = harness({ config: { leakDetection: 'all' } });
    const { transport, manager } = await h.connect('ada', 'thread_1', silent);
    undying(transport);
    h.mooring.release(manager.key);
    await h.time.advance(300_000);
    const [leak] = h.said('leak.found');
    const { admittedBy = [] } = leak ?? {};
    expect(admittedBy[0]).toMatch(/^(?!at )\S.*core\/support/);
    expect(admittedBy[1]).toMatch(/^(?!at )\S.*core\/support/);
    expect(admittedBy[2]).toMatch(/^(?!at )\S.*leak-detector\.test/);
    expect(admittedBy.length).toBeLessThanOrEqual(5);
    for (const frame of admittedBy) expect(frame).not.toMatch(/node:internal|\/src\/core\//);
  });

  it('says nothing of one that is kept while it holds its slot', async () => {
    const h = harness({ config: { leakDetection: 'all' } });
    const { manager, transport } = await h.connect('ada', 'thread_1');
    for (let i = 0; i < 20; i++) {
      transport.message();
      await h.time.advance(60_000);
    }
    await collect();
    expect([manager.state, found(h)]).toEqual(['attached', []]);
  });

  it('reports a socket that is open after it was destroyed, once, and again when it is not', async () => {
    const h = harness({ config: { leakDetection: 'all' } });
    const { transport, manager } = await h.connect('ada', 'thread_1', silent);
    const outlived = undying(transport);
    h.mooring.release(manager.key);
    await h.time.advance(300_000);
    expect(found(h)).toEqual([['ada:thread_1', 'socket']]);
    outlived.isOpen = false;
    await h.time.advance(300_000);
    expect([found(h).length, gone(h)]).toEqual([1, [['ada:thread_1', 'socket']]]);
  });

  it('reports a socket that a newer one took over from and that is open after it was destroyed', async () => {
    const h = harness({ config: { leakDetection: 'all' } });
    const former = await h.connect('ada', 'thread_1', silent);
    const outlived = undying(former.transport);
    const newer = await h.connect('ada', 'thread_1', remote);
    await talk(h, newer, 300_000);
    expect(found(h)).toEqual([['ada:thread_1', 'socket']]);
    const [leak] = h.said('leak.found');
    expect(leak?.releasedForMs).toBeGreaterThanOrEqual(60_000);
    expect(leak?.releasedForMs).toBeLessThan(120_000);
    outlived.isOpen = false;
    await talk(h, newer, 300_000);
    expect([found(h).length, gone(h)]).toEqual([1, [['ada:thread_1', 'socket']]]);
  });

  it('reports each of several sockets of one thread, and says nothing of those that closed', async () => {
    const h = harness({ config: { leakDetection: 'all' } });
    for (let i = 0; i < 6; i++) {
      const { transport } = await h.connect('ada', 'thread_1', i % 2 === 0 ? silent : remote);
      if (i % 2 === 0) undying(transport);
      await h.time.advance(10_000);
    }
    h.mooring.release('ada:thread_1');
    await h.time.advance(300_000);
    expect(found(h)).toEqual(Array.from({ length: 3 }, () => ['ada:thread_1', 'socket']));
  });

  it('says nothing of a socket that closes within the grace', async () => {
    const h = harness({ config: { leakDetection: 'all' } });
    const former = await h.connect('ada', 'thread_1', silent);
    const outlived = undying(former.transport);
    const newer = await h.connect('ada', 'thread_1', remote);
    await talk(h, newer, 50_000);
    outlived.isOpen = false;
    await talk(h, newer, 300_000);
    expect(found(h)).toEqual([]);
  });

  it('that is off follows no socket', async () => {
    const h = harness();
    const former = await h.connect('ada', 'thread_1', silent);
    undying(former.transport);
    const newer = await h.connect('ada', 'thread_1', remote);
    await talk(h, newer, 300_000);
    expect(found(h)).toEqual([]);
  });

  it('leaves no timer for sockets that have closed', async () => {
    const timersWith = async (leakDetection: 'off' | 'all'): Promise<number> => {
      const h = harness({ config: { leakDetection } });
      const { manager } = await h.connect('ada', 'thread_1', remote);
      h.mooring.release(manager.key);
      await h.time.advance(300_000);
      return h.time.pendingTimers;
    };
    expect(await timersWith('all')).toBe(await timersWith('off'));
  });

  it('keeps no socket that nobody else keeps, however many are taken over', async () => {
    const h = harness({ config: { leakDetection: 'all' } });
    const connections: WeakRef<object>[] = [];
    for (let i = 0; i < 50; i++) {
      connections.push(new WeakRef((await h.connect('ada', 'thread_1', remote)).connection));
      await h.time.advance(3_000);
    }
    h.arrivals.length = 0;
    await collect();
    expect(connections.filter((connection) => connection.deref() !== undefined).length).toBeLessThan(5);
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
      kept.push(await h.mooring.createManager({ userId: `user-${i}`, threadId: 'thread_1' }));
    }
    for (const { key } of kept) h.mooring.release(key);
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

/** From now on its `terminate()` does nothing: it is open for as long as told. */
function undying(transport: FakeConnection): { isOpen: boolean } {
  const state = { isOpen: true };
  transport.terminate = () => undefined;
  Object.defineProperty(transport, 'isOpen', { get: () => state.isOpen });
  return state;
}

/** The client talks meanwhile, so that it is not idle. */
async function talk(h: Harness, { transport }: Client, forMs: number): Promise<void> {
  for (let ms = 0; ms < forMs; ms += 50_000) {
    transport.message();
    await h.time.advance(50_000);
  }
}

async function keepOne(h: Harness): Promise<WebSocketManager> {
  const manager = await h.mooring.createManager({ userId: 'ada', threadId: 'thread_kept' });
  h.mooring.release(manager.key);
  return manager;
}
