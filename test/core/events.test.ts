import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { EventStream, type MooringEvent } from '../../src/core/events.js';
import { harness, remote } from './support.js';
import { describe as described } from '../../src/core/errors.js';

const wallNowMs = 1_700_000_000_000;
const stall = { stalledMs: 7 };

/** A stream, and everything it said to a listener of all. */
function stream() {
  const events = new EventStream(() => wallNowMs);
  const heard: MooringEvent[] = [];
  const listen = () => events.onAny((event) => heard.push(event));
  return { events, heard, listen };
}

describe('the event stream', () => {
  it('tells listeners of a name and listeners of all, with name and wall-clock time', () => {
    const { events, heard, listen } = stream();
    const named: MooringEvent[] = [];
    events.on('process.stalled', (event) => named.push(event));
    listen();
    events.emit('process.stalled', stall);
    expect(named).toEqual([{ type: 'process.stalled', atMs: wallNowMs, stalledMs: 7 }]);
    expect(heard).toEqual(named);
  });

  it('tells nobody of other names', () => {
    const { events } = stream();
    const heard: MooringEvent[] = [];
    events.on('server.draining', (event) => heard.push(event));
    events.emit('process.stalled', stall);
    expect(heard).toEqual([]);
  });

  it('tells in the order of registration', () => {
    const { events } = stream();
    const order: number[] = [];
    for (const number of [1, 2, 3]) events.on('process.stalled', () => order.push(number));
    events.emit('process.stalled', stall);
    expect(order).toEqual([1, 2, 3]);
  });

  it('tells no longer whoever ended it, and others still', () => {
    const { events, heard, listen } = stream();
    const end = listen();
    const others: MooringEvent[] = [];
    events.onAny((event) => others.push(event));
    end();
    end();
    events.emit('process.stalled', stall);
    expect(heard).toEqual([]);
    expect(others).toHaveLength(1);
  });

  it('says of a manager by reference what it says of one spelled out, in the same order', () => {
    const { events, heard, listen } = stream();
    listen();
    const of = { userId: 'ada', threadId: 'thread_1', key: 'ada:thread_1' };
    events.emit('connection.opened', { ...of, generation: 1 });
    events.emitOf('connection.opened', { ...of, ...{ connection: null } }, { generation: 1 });
    const said = { type: 'connection.opened', atMs: wallNowMs, ...of, generation: 1 };
    expect(heard.map((event) => JSON.stringify(event))).toEqual([JSON.stringify(said), JSON.stringify(said)]);
  });

  it('reads no key and no wall clock where only an observer hears', () => {
    let reads = 0;
    const events = new EventStream(() => (reads += 1));
    const of = {
      userId: 'ada',
      threadId: 'thread_1',
      get key() {
        reads += 1;
        return 'ada:thread_1';
      },
    };
    const heard: unknown[] = [];
    events.observe('connection.opened', ({ userId }, { generation }) => heard.push([userId, generation]));
    events.emitOf('connection.opened', of, { generation: 3 });
    expect(heard).toEqual([['ada', 3]]);
    expect(reads).toBe(0);
  });

  it('tells an observer before listeners, and reports what it throws', () => {
    const { events, heard, listen } = stream();
    listen();
    events.observe('connection.opened', () => {
      expect(heard).toEqual([]);
      throw new Error('lost count');
    });
    events.emit('connection.opened', { userId: 'ada', threadId: 'thread_1', key: 'ada:thread_1', generation: 1 });
    expect(heard.map(({ type }) => type)).toEqual(['listener.failed', 'connection.opened']);
    expect(heard[0]).toMatchObject({ event: 'connection.opened', error: 'Error: lost count' });
  });

  it('has one observer for each kind of event', () => {
    const { events } = stream();
    events.observe('connection.opened', () => {});
    expect(() => {
      events.observe('connection.opened', () => {});
    }).toThrow(TypeError);
  });

  it('takes the same listener twice, and each end ends one', () => {
    const { events } = stream();
    let calls = 0;
    const listener = (): void => {
      calls += 1;
    };
    const end = events.on('process.stalled', listener);
    events.on('process.stalled', listener);
    events.emit('process.stalled', stall);
    end();
    events.emit('process.stalled', stall);
    expect(calls).toBe(3);
  });

  it('lets a listener end itself while it is told', () => {
    const { events, heard, listen } = stream();
    const end = events.on('process.stalled', () => {
      end();
    });
    listen();
    events.emit('process.stalled', stall);
    events.emit('process.stalled', stall);
    expect(heard).toHaveLength(2);
  });
});

describe('a listener that throws', () => {
  const fail = (): never => {
    throw new RangeError('too far');
  };

  it('is reported, and the others are told', () => {
    const { events, heard, listen } = stream();
    events.on('process.stalled', fail);
    listen();
    events.emit('process.stalled', stall);
    expect(heard).toMatchObject([
      { type: 'listener.failed', event: 'process.stalled', error: 'RangeError: too far' },
      { type: 'process.stalled' },
    ]);
  });

  it('of failures does not make another failure', () => {
    const { events, heard, listen } = stream();
    events.on('listener.failed', fail);
    events.on('process.stalled', fail);
    listen();
    events.emit('process.stalled', stall);
    expect(heard.map(({ type }) => type)).toEqual(['listener.failed', 'process.stalled']);
  });

  it('of everything does not stop anything', () => {
    const { events } = stream();
    events.onAny(fail);
    expect(() => {
      events.emit('process.stalled', stall);
    }).not.toThrow();
  });

  it('asynchronously is reported too, and is no unhandled rejection', async () => {
    const { events, heard, listen } = stream();
    const rejecting: () => unknown = () => Promise.reject(new RangeError('too late'));
    events.on('process.stalled', rejecting);
    listen();
    events.emit('process.stalled', stall);
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard.at(-1)).toMatchObject({ type: 'listener.failed', error: 'RangeError: too late' });
  });
});

describe('an error as text', () => {
  it.each([
    [new TypeError('bad'), 'TypeError: bad'],
    ['plain', 'plain'],
    [undefined, 'undefined'],
    [{ toString: () => 'shown' }, 'shown'],
    [Object.create(null), 'something that cannot be described'],
  ])('%o is %s', (thrown, text) => {
    expect(described(thrown)).toBe(text);
  });
});

describe('every event of a Mooring', () => {
  it('survives JSON', async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    const [first] = await h.fill('ada', 2, remote);
    h.arrive('ada', 'thread_late', remote);
    await h.time.advance(2_000);
    first!.manager.fail(new Error('broken'));
    await h.stop();
    expect(JSON.parse(JSON.stringify(h.events))).toEqual(h.events);
  });

  it('is sent after the state has changed', async () => {
    const h = harness();
    const counts: [type: string, count: number][] = [];
    h.mooring.events.onAny(({ type }) => counts.push([type, h.countOf('ada')]));
    const { transport } = await h.connect('ada', 'thread_1');
    transport.vanish();
    expect(counts).toEqual([
      ['manager.admitted', 1],
      ['connection.opened', 1],
      ['manager.released', 0],
    ]);
  });

  it('may be answered by a listener that throws: nothing stops', async () => {
    const h = harness();
    h.mooring.events.onAny(() => {
      throw new Error('broken listener');
    });
    const { transport } = await h.connect('ada', 'thread_1');
    transport.vanish();
    expect(h.countOf('ada')).toBe(0);
  });
});

describe('a listener with a signal', () => {
  it.each(['on', 'once'] as const)('of %s hears nothing after the signal is aborted', (method) => {
    const { events } = stream();
    const heard: MooringEvent[] = [];
    const controller = new AbortController();
    events[method]('process.stalled', (event) => heard.push(event), { signal: controller.signal });
    controller.abort();
    events.emit('process.stalled', stall);
    expect(heard).toEqual([]);
  });

  it('is not added if the signal was aborted before', () => {
    const { events } = stream();
    const heard: MooringEvent[] = [];
    events.onAny((event) => heard.push(event), { signal: AbortSignal.abort() });
    events.emit('process.stalled', stall);
    expect(heard).toEqual([]);
  });

  it('leaves nothing on the signal once it is removed', () => {
    const { events } = stream();
    const { signal } = new AbortController();
    const remove = events.on('process.stalled', () => undefined, { signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    remove();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('a listener of once', () => {
  it('hears one event, also if it causes another of its kind', () => {
    const { events } = stream();
    const heard: MooringEvent[] = [];
    events.once('process.stalled', (event) => {
      heard.push(event);
      events.emit('process.stalled', { stalledMs: 8 });
    });
    events.emit('process.stalled', stall);
    expect(heard).toMatchObject([stall]);
  });

  it('hears nothing if it is removed before', () => {
    const { events } = stream();
    const heard: MooringEvent[] = [];
    events.once('process.stalled', (event) => heard.push(event))();
    events.emit('process.stalled', stall);
    expect(heard).toEqual([]);
  });

  it('whose promise rejects is reported as listener.failed', async () => {
    const { events, heard, listen } = stream();
    listen();
    const broken = (): unknown => Promise.reject(new Error('broken'));
    events.once('process.stalled', broken);
    events.emit('process.stalled', stall);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    expect(heard.map(({ type }) => type)).toEqual(['process.stalled', 'listener.failed']);
  });
});

describe('a channel', () => {
  it('gets the events that it asked for, after the listeners', () => {
    const published: MooringEvent[] = [];
    const channels = {
      hasSubscribers: (name: string) => name === 'process.stalled',
      publish: (event: MooringEvent) => published.push(event),
    };
    const events = new EventStream(() => wallNowMs, undefined, channels);
    events.emit('process.stalled', stall);
    events.emit('server.draining', { managers: 3 });
    expect(published).toEqual([{ type: 'process.stalled', atMs: wallNowMs, stalledMs: 7 }]);
  });
});
