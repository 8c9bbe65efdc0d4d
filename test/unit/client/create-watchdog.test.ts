import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createWatchdog } from '../../../src/client/create-watchdog.js';
import { isKeepalive } from '../../../src/core/liveness/keepalive.js';
import { FakeSocket } from './fake-socket.js';

const message = '{"type":"ping"}';

/** A socket with a watchdog, with the usual times: 30 s, and 10 s for the answer. */
function watched(socket = new FakeSocket()) {
  const onLost = vi.fn();
  return { socket, onLost, end: createWatchdog(socket, { message, onLost }) };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** The computer sleeps: the clock goes on, the timers do not. */
const sleep = (ms: number): void => {
  vi.setSystemTime(Date.now() + ms);
};

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a watchdog', () => {
  it('asks after 30 s without a message, and closes when nothing came for another 10', async () => {
    const { socket, onLost } = watched();
    await pass(29_999);
    expect(socket.sent).toEqual([]);
    await pass(1);
    expect(socket.sent).toEqual([message]);
    await pass(9_999);
    expect([socket.closes, onLost.mock.calls]).toEqual([[], []]);
    await pass(1);
    expect([socket.closes, onLost.mock.calls]).toEqual([[undefined], [[{ code: 1006, reason: '' }]]]);
    expect([vi.getTimerCount(), socket.listenerCount]).toEqual([0, 0]);
  });

  it('takes any message for an answer, and asks again 30 s after it', async () => {
    const { socket, onLost } = watched();
    await pass(39_000);
    socket.message();
    await pass(29_999);
    expect(socket.sent).toHaveLength(1);
    await pass(1);
    expect([socket.sent.length, onLost.mock.calls.length]).toEqual([2, 0]);
  });

  it('asks nothing while messages arrive', async () => {
    const { socket } = watched();
    for (let i = 0; i < 20; i++) {
      await pass(29_000);
      socket.message();
    }
    expect([socket.sent, vi.getTimerCount()]).toEqual([[], 1]);
  });

  it('asks 30 s after a message, also if the clock was set back', async () => {
    const { socket } = watched();
    await pass(10_000);
    socket.message();
    vi.setSystemTime(Date.now() - 3_600_000);
    await pass(60_000);
    expect(socket.sent).toHaveLength(1);
  });

  it('asks 30 s after the socket has opened', async () => {
    const socket = new FakeSocket();
    socket.readyState = 0;
    watched(socket);
    await pass(39_999);
    expect([socket.sent, socket.closes]).toEqual([[], []]);
    socket.opened();
    await pass(29_999);
    expect(socket.sent).toEqual([]);
    await pass(1);
    expect(socket.sent).toEqual([message]);
  });

  it('gives up a socket that does not open within 40 s', async () => {
    const socket = new FakeSocket();
    socket.readyState = 0;
    const { onLost } = watched(socket);
    await pass(39_999);
    expect(onLost).not.toHaveBeenCalled();
    await pass(1);
    expect([onLost.mock.calls.length, socket.closes, socket.sent]).toEqual([1, [undefined], []]);
  });

  it.each([2, 3])('does nothing with a socket whose readyState is %i', async (readyState) => {
    const socket = new FakeSocket();
    socket.readyState = readyState;
    watched(socket);
    await pass(120_000);
    expect([socket.sent, vi.getTimerCount(), socket.listenerCount]).toEqual([[], 0, 0]);
  });

  it('ends when the socket closes, or when told', async () => {
    const { socket } = watched();
    socket.closed(1000);
    const other = watched();
    await pass(31_000);
    other.end();
    await pass(60_000);
    for (const one of [socket, other.socket])
      expect([one.closes, vi.getTimerCount(), one.listenerCount]).toEqual([[], 0, 0]);
  });

  it('asks and tells nothing while the application closes the socket', async () => {
    const { socket, onLost } = watched();
    await pass(31_000);
    socket.close(1000);
    await pass(60_000);
    expect([socket.closes, onLost.mock.calls]).toEqual([[1000], []]);
  });

  it('gives up a socket that cannot send, if nothing arrives', async () => {
    const { socket, onLost } = watched();
    vi.spyOn(socket, 'send').mockImplementation(() => {
      throw new Error('cannot');
    });
    await pass(35_000);
    socket.message();
    await pass(39_999);
    expect(onLost).not.toHaveBeenCalled();
    await pass(1);
    expect(onLost).toHaveBeenCalledOnce();
  });

  it('ends a socket of ws without waiting', async () => {
    const { socket, onLost } = watched();
    const terminate = vi.fn();
    Object.assign(socket, { terminate });
    await pass(40_000);
    expect([terminate.mock.calls.length, socket.closes, onLost.mock.calls.length]).toEqual([1, [], 1]);
  });
});

describe('a slow upload', () => {
  it('is no dead link while it goes on, and is one when it stands', async () => {
    const { socket, onLost } = watched();
    socket.bufferedAmount = 1_000_000;
    for (let i = 0; i < 20; i++) {
      await pass(5_000);
      socket.bufferedAmount -= 10_000;
    }
    expect([socket.sent.length, onLost.mock.calls.length]).toEqual([1, 0]);
    await pass(15_001);
    expect(onLost).toHaveBeenCalledOnce();
  });
});

describe('a page that slept', () => {
  it('gives the connection the whole time anew, and does not ask twice', async () => {
    const { socket, onLost } = watched();
    await pass(31_000);
    sleep(3_600_000);
    await pass(13_000);
    expect([socket.sent.length, onLost.mock.calls.length]).toEqual([1, 0]);
    socket.message();
    await pass(29_000);
    expect([socket.sent.length, onLost.mock.calls.length]).toEqual([1, 0]);
  });

  it('finds the dead link within the time for an answer once it is awake', async () => {
    const { onLost } = watched();
    await pass(31_000);
    sleep(3_600_000);
    await pass(4_000 + 10_000);
    expect(onLost).toHaveBeenCalledOnce();
  });

  it('is not late because of the usual throttling of one second', async () => {
    const { onLost } = watched();
    await pass(30_000);
    sleep(1_000);
    await pass(5_000);
    sleep(1_000);
    await pass(5_000);
    expect(onLost).toHaveBeenCalledOnce();
  });

  it('whose timers come once a minute finds it as well, after three chances', async () => {
    const { onLost } = watched();
    await pass(30_000);
    for (let i = 0; i < 4; i++) {
      sleep(55_000);
      await pass(5_000);
      expect(onLost).not.toHaveBeenCalled();
    }
    sleep(55_000);
    await pass(5_000);
    expect(onLost).toHaveBeenCalledOnce();
  });
});

describe('a page that comes back', () => {
  /** As in a browser, as far as it is used. */
  function page() {
    const [own, document] = [new EventEmitter(), new EventEmitter()];
    const listening = (on: EventEmitter) => ({
      addEventListener: on.on.bind(on),
      removeEventListener: on.off.bind(on),
    });
    const visible = { ...listening(document), visibilityState: 'visible' };
    vi.stubGlobal('addEventListener', own.on.bind(own));
    vi.stubGlobal('removeEventListener', own.off.bind(own));
    vi.stubGlobal('document', visible);
    return {
      online: () => own.emit('online'),
      turns: (state: string) => {
        visible.visibilityState = state;
        document.emit('visibilitychange');
      },
      listenerCount: () => own.listenerCount('online') + document.listenerCount('visibilitychange'),
    };
  }

  it('asks at once, once', async () => {
    const { turns, online, listenerCount } = page();
    const { socket, onLost } = watched();
    turns('hidden');
    expect(socket.sent).toEqual([]);
    turns('visible');
    online();
    expect(socket.sent).toEqual([message]);
    await pass(10_000);
    expect([onLost.mock.calls.length, listenerCount()]).toEqual([1, 0]);
  });

  it('gives a question under way the whole time anew, but not for ever', async () => {
    const { online } = page();
    const { onLost } = watched();
    await pass(30_000);
    for (let i = 0; i < 3; i++) {
      await pass(9_000);
      online();
    }
    await pass(9_000);
    online();
    expect(onLost).not.toHaveBeenCalled();
    await pass(1_000);
    expect(onLost).toHaveBeenCalledOnce();
  });

  it('asks nothing of a socket that is not open', () => {
    const { online } = page();
    const socket = new FakeSocket();
    socket.readyState = 0;
    watched(socket);
    online();
    expect(socket.sent).toEqual([]);
  });
});

describe('the options', () => {
  it.each([
    [{}, 'message: got undefined, wanted a text'],
    [{ message: '' }, 'message: got "", wanted a text'],
    [{ message: () => 'ping' }, 'message: got a value of type function'],
    [{ message, intervalMs: 0 }, 'intervalMs: got 0, wanted milliseconds from 1 to 1073741823'],
    [{ message, answerWithinMs: Number.NaN }, 'answerWithinMs: got NaN'],
    [{ message, intervalMs: '5' }, 'intervalMs: got "5"'],
  ])('%o: a TypeError that says what was got and wanted', (options, text) => {
    const socket = new FakeSocket();
    expect(() => createWatchdog(socket, options as { message: string })).toThrow(TypeError);
    expect(() => createWatchdog(socket, options as { message: string })).toThrow(`watchdog: ${text}`);
    expect(socket.listenerCount).toBe(0);
  });

  it('take bytes', async () => {
    const socket = new FakeSocket();
    const bytes = new Uint8Array([0xc0, 0]).buffer;
    createWatchdog(socket, { message: bytes, intervalMs: 1 });
    await pass(1);
    expect(socket.sent).toEqual([bytes]);
  });

  it('have an example that Mooring takes for a keepalive', () => {
    expect([isKeepalive(message), isKeepalive('{"type":"pong"}')]).toEqual([true, true]);
  });
});
