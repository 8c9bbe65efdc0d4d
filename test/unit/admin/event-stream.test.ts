import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Admitted } from '../../../src/admin/access.js';
import { EventHub, type EventFilter } from '../../../src/admin/event-stream.js';
import { createMooring, type Mooring, type MooringEvent, type MooringEventName } from '../../../src/index.js';
import { afterThisTest } from '../../support/setup.js';

/** Somebody on this machine, without a token. */
const who = { name: 'loopback', scope: 'act' } as const;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

function hub(maxViewers?: number): {
  hub: EventHub;
  mooring: Mooring;
  watch: (filter?: EventFilter, last?: string) => Reader;
} {
  const mooring = createMooring({ env: {} });
  const made = new EventHub(mooring, maxViewers);
  afterThisTest(async () => {
    made.close();
    await mooring.stop();
  });
  return {
    hub: made,
    mooring,
    watch: (filter = {}, lastEventId) => new Reader(made.watch({ who, filter, lastEventId })),
  };
}

/** What it says of this kind, from now on. */
function heard<Name extends MooringEventName>(mooring: Mooring, name: Name): MooringEvent<Name>[] {
  const events: MooringEvent<Name>[] = [];
  mooring.on(name, (event) => {
    events.push(event);
  });
  return events;
}

/** Reads as a client does. */
class Reader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  /** What it would come back with. */
  lastId: string | undefined;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /** What comes with the next chunk, by event; lines of comment apart. */
  async next(): Promise<{ event: string; id: string | null; data: unknown }[]> {
    const chunk = this.#reader.read();
    await vi.advanceTimersByTimeAsync(100);
    const { value, done } = await chunk;
    if (done) return [{ event: 'end', id: null, data: null }];
    const text = new TextDecoder().decode(value);
    this.lastId = /.*^id: (\S*)$/ms.exec(text)?.[1] ?? this.lastId;
    const blocks = text.split('\n\n').filter((block) => block.includes('event: '));
    return blocks.map((block) => ({
      event: /^event: (.*)$/m.exec(block)?.[1] ?? '',
      id: /^id: (.*)$/m.exec(block)?.[1] ?? null,
      data: JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? 'null') as unknown,
    }));
  }

  leave(): Promise<void> {
    return this.#reader.cancel();
  }
}

const stall = (mooring: Mooring, stalledMs: number): void => {
  mooring.events.emit('process.stalled', { stalledMs });
};

/** Was here for one event. @returns where it was cut off */
async function watchOnce(watch: (filter?: EventFilter) => Reader, mooring: Mooring): Promise<string | undefined> {
  const viewer = watch();
  await viewer.next();
  stall(mooring, 1);
  await viewer.next();
  await viewer.leave();
  return viewer.lastId;
}

describe('maxViewers', () => {
  it.each([0, -1, 1.5, NaN])('of %s is refused, with what is wanted', (maxViewers) => {
    expect(() => hub(maxViewers)).toThrow(
      new TypeError(`maxViewers: got ${String(maxViewers)}, wanted a whole number of at least 1`),
    );
  });
});

describe('a viewer', () => {
  it('is told hello, and then everything, in one piece per moment', async () => {
    const { mooring, watch } = hub();
    const viewer = watch();
    expect(await viewer.next()).toMatchObject([{ event: 'stream.hello' }]);
    for (const stalledMs of [1, 2]) stall(mooring, stalledMs);
    expect(await viewer.next()).toMatchObject([
      { event: 'process.stalled', data: { stalledMs: 1 } },
      { event: 'process.stalled', data: { stalledMs: 2 } },
    ]);
  });

  it('gets what it asked for only', async () => {
    const { mooring, watch } = hub();
    const viewer = watch({ types: new Set(['ledger.failed']), userId: 'ada' });
    await viewer.next();
    stall(mooring, 1);
    mooring.events.emit('ledger.failed', { userId: 'bob', error: 'no' });
    mooring.events.emit('ledger.failed', { userId: 'ada', error: 'yes' });
    expect(await viewer.next()).toMatchObject([{ data: { userId: 'ada' } }]);
  });

  it('that was cut off goes on where it was', async () => {
    const { mooring, watch } = hub();
    const lastId = await watchOnce(watch, mooring);
    stall(mooring, 2);
    const back = watch({}, lastId);
    expect(await back.next()).toMatchObject([{ event: 'stream.hello' }, { data: { stalledMs: 2 } }]);
  });

  it.each(['nonsense', 'other-3'])('that was here as %o is told that there is a gap', async (last) => {
    const { watch } = hub();
    expect(await watch({}, last).next()).toMatchObject([{ event: 'stream.hello' }, { event: 'stream.gap' }]);
  });

  it('that comes back after more than a minute is told that there is a gap', async () => {
    const { mooring, watch } = hub();
    const lastId = await watchOnce(watch, mooring);
    await vi.advanceTimersByTimeAsync(60_000);
    stall(mooring, 2);
    stall(mooring, 3);
    expect(await watch({}, lastId).next()).toMatchObject([{ event: 'stream.hello' }, { event: 'stream.gap' }]);
  });

  it('that does not read loses the oldest, is told how many, and is counted', async () => {
    const { hub: made, mooring, watch } = hub();
    const missed = heard(mooring, 'viewer.missed');
    const viewer = watch();
    await viewer.next();
    for (let stalledMs = 1; stalledMs <= 1_010; stalledMs++) stall(mooring, stalledMs);
    const [dropped, first] = await viewer.next();
    expect([dropped, first]).toMatchObject([
      { event: 'stream.dropped', data: { count: 10 } },
      { data: { stalledMs: 11 } },
    ]);
    expect(made.counts).toEqual({ watching: 1, droppedEvents: 10, droppedViewers: 0 });
    expect(missed).toMatchObject([{ events: 10 }]);
    expect(await viewer.next()).toMatchObject([{ event: 'viewer.missed', data: { events: 10 } }]);
  });

  it('that takes nothing for a minute is dropped, and holds nobody up', async () => {
    const { hub: made, mooring } = hub();
    const missed = heard(mooring, 'viewer.missed');
    const dropped = heard(mooring, 'viewer.dropped');
    const cutOff = vi.fn();
    made.watch({ who, filter: {}, cutOff });
    for (let stalledMs = 1; stalledMs <= 1_003; stalledMs++) stall(mooring, stalledMs);
    await vi.advanceTimersByTimeAsync(75_000);
    expect(made.counts).toMatchObject({ watching: 0, droppedViewers: 1 });
    // Of 1,000 that may wait, the greeting is one.
    expect([missed, dropped]).toMatchObject([[{ events: 4 }], [{ watchedMs: 60_000 }]]);
    expect(cutOff).toHaveBeenCalledOnce();
  });

  it('that leaves is not cut off', async () => {
    const { hub: made } = hub();
    const cutOff = vi.fn();
    await made.watch({ who, filter: {}, cutOff }).cancel();
    expect([made.counts.watching, cutOff.mock.calls]).toEqual([0, []]);
  });

  it('that waits for something to happen is kept', async () => {
    const { hub: made, watch } = hub();
    const viewer = watch();
    await viewer.next();
    for (let quarter = 0; quarter < 8; quarter++) {
      const chunk = viewer.next();
      await vi.advanceTimersByTimeAsync(15_000);
      expect(await chunk).toMatchObject([{ event: 'stream.position', data: {} }]);
    }
    expect(made.counts.watching).toBe(1);
  });

  it('that wants little comes back to no gap, however much happened that it did not want', async () => {
    const { mooring, watch } = hub();
    const filter = { userId: 'ada' };
    const viewer = watch(filter);
    await viewer.next();
    for (let stalledMs = 1; stalledMs <= 1_500; stalledMs++) stall(mooring, stalledMs);
    const chunk = viewer.next();
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await chunk).toMatchObject([{ event: 'stream.position', data: {} }]);
    await viewer.leave();
    mooring.events.emit('ledger.failed', { userId: 'ada', error: 'meanwhile' });
    expect(await watch(filter, viewer.lastId).next()).toMatchObject([
      { event: 'stream.hello' },
      { data: { error: 'meanwhile' } },
    ]);
  });

  it('is told the end', async () => {
    const { hub: made, watch } = hub();
    const viewer = watch();
    await viewer.next();
    made.close();
    expect(await viewer.next()).toMatchObject([{ event: 'end' }]);
  });
});

describe('nobody watching', () => {
  it('costs nothing: nothing listens', async () => {
    const { mooring, watch } = hub();
    const onAny = vi.spyOn(mooring.events, 'onAny');
    stall(mooring, 1);
    expect(onAny).not.toHaveBeenCalled();
    const viewer = watch();
    await viewer.next();
    await viewer.leave();
    await vi.advanceTimersByTimeAsync(60_000);
    watch();
    expect(onAny).toHaveBeenCalledTimes(2);
  });
});

describe('room for viewers', () => {
  const reader = (name: string) => ({ name, scope: 'read' }) as const;
  const actor = (name: string) => ({ name, scope: 'act' }) as const;

  function fill({ hub: made }: { hub: EventHub }, by: Admitted): number {
    let count = 0;
    for (; made.whatIsFull(by) === null; count++) made.watch({ who: by, filter: {} });
    return count;
  }

  it('is a quarter for one token that may only look, and others still find theirs', () => {
    const made = hub();
    expect(fill(made, reader('grafana'))).toBe(25);
    expect(made.hub.whatIsFull(reader('grafana'))).toBe('share');
    expect(fill(made, reader('wall'))).toBe(25);
  });

  it('is kept for those who may act, however many only look', () => {
    const made = hub();
    const looking = ['a', 'b', 'c', 'd', 'e'].map((name) => fill(made, reader(name)));
    expect(looking).toEqual([25, 25, 25, 0, 0]);
    expect(fill(made, actor('ops'))).toBe(25);
    expect(made.hub.whatIsFull(actor('ops'))).toBe('all');
  });

  it('is half for one token that may act, and all where no token is needed', () => {
    expect(fill(hub(), actor('ops'))).toBe(50);
    expect(fill(hub(), who)).toBe(100);
  });

  it('is shared in the same parts where there is less', () => {
    const made = hub(20);
    const looking = ['a', 'b', 'c', 'd'].map((name) => fill(made, reader(name)));
    expect(looking).toEqual([5, 5, 5, 0]);
    expect(fill(made, actor('ops'))).toBe(5);
  });

  it('is there again when a viewer leaves', async () => {
    const made = hub();
    const stream = made.hub.watch({ who: reader('grafana'), filter: {} });
    fill(made, reader('grafana'));
    await stream.cancel();
    expect(made.hub.whatIsFull(reader('grafana'))).toBeNull();
  });
});
