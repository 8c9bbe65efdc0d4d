import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from 'vitest';
import type { WebSocket as WebSocketOfWs } from 'ws';
import type { CloseExplanation } from '../../../src/client/explain-close.js';
import { keepConnected, type KeepConnectedOptions } from '../../../src/client/keep-connected.js';
import type { SocketLike } from '../../../src/client/socket-like.js';
import { FakeSocket } from './fake-socket.js';

/** A kept connection, the sockets it made, and what it told. */
function kept(options: KeepConnectedOptions = {}) {
  const sockets: FakeSocket[] = [];
  const told: CloseExplanation[] = [];
  const open = vi.fn(() => {
    const socket = new FakeSocket();
    sockets.push(socket);
    return socket;
  });
  const connection = keepConnected(open, { ...options, onClosed: (explanation) => told.push(explanation) });
  const newest = (): FakeSocket => sockets.at(-1) ?? new FakeSocket();
  return { connection, sockets, told, open, newest };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a kept connection', () => {
  it('comes back when the server said', async () => {
    const { sockets, newest, told } = kept();
    newest().closed(1013, 'quota;retry=30;max=20');
    await vi.advanceTimersByTimeAsync(29_999);
    expect(sockets).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(sockets).toHaveLength(2);
    expect(told).toMatchObject([{ cause: 'quota', max: 20, delayMs: 30_000 }]);
  });

  it('waits longer and longer while no connection works, though each is let in', async () => {
    const { newest, told } = kept();
    for (let attempt = 0; attempt < 7; attempt++) {
      newest().closed(1006);
      await vi.advanceTimersToNextTimerAsync();
    }
    const delays = told.map(({ delayMs }) => delayMs);
    expect(delays.slice(0, 6)).toEqual([...delays.slice(0, 6)].sort((a, b) => a - b));
    expect(delays[0]).toBeLessThanOrEqual(1_000);
    expect(delays.at(-1)).toBeGreaterThan(7_000);
  });

  it.each([
    [
      'brought a message',
      (socket: FakeSocket) => {
        socket.message();
        return Promise.resolve();
      },
    ],
    [
      'lasted ten seconds',
      async () => {
        await vi.advanceTimersByTimeAsync(10_000);
      },
    ],
  ])('waits shortly again after a connection that %s', async (_, works) => {
    const { newest, told } = kept();
    for (let attempt = 0; attempt < 5; attempt++) {
      newest().closed(1006);
      await vi.advanceTimersToNextTimerAsync();
    }
    await works(newest());
    newest().closed(1006);
    expect(told.at(-1)?.delayMs).toBeLessThanOrEqual(1_000);
  });

  it.each([
    ['replaced', 4409],
    ['evicted', 4410],
    ['idle', 4408],
    ['requested', 4412],
    ['unauthenticated', 4401],
  ])('after %s it waits for connect()', async (cause, code) => {
    const { connection, newest, sockets, told } = kept();
    newest().closed(code);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(sockets).toHaveLength(1);
    expect(told).toMatchObject([{ cause, retry: false }]);
    connection.connect();
    expect(sockets).toHaveLength(2);
    expect(connection.socket).toBe(newest());
  });

  it('connect() does nothing while there is a connection, and ends a wait', async () => {
    const { connection, newest, sockets } = kept();
    connection.connect();
    expect(sockets).toHaveLength(1);
    newest().closed(1013, 'capacity;retry=60');
    connection.connect();
    expect(sockets).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(sockets).toHaveLength(2);
  });

  it('stop() closes it, says nothing of that close, and nothing comes after', async () => {
    const { connection, newest, sockets, told } = kept();
    connection.stop();
    expect(newest().closes).toEqual([1000]);
    newest().closed(1000);
    connection.connect();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect([sockets.length, told, vi.getTimerCount()]).toEqual([1, [], 0]);
  });

  it('stop() leaves no timer, also if the close never comes', () => {
    const { connection } = kept({ watchdog: { message: 'ping' } });
    connection.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('connect() does not wait for a connection that is closing', () => {
    const { connection, newest, sockets, told } = kept();
    const first = newest();
    first.close();
    connection.connect();
    expect(sockets).toHaveLength(2);
    first.closed(1006);
    expect([told, connection.socket === newest()]).toEqual([[], true]);
  });

  it('a failed connect() beside a connection that is closing is told once', async () => {
    const { connection, newest, open, sockets, told } = kept();
    newest().close();
    open.mockImplementationOnce(() => {
      throw new Error('no address');
    });
    connection.connect();
    newest().closed(1006);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([sockets.length, told.map(({ cause }) => cause)]).toEqual([2, ['lost']]);
  });

  it('stop() ends a wait', async () => {
    const { connection, newest, sockets } = kept();
    newest().closed(1006);
    connection.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([sockets.length, vi.getTimerCount()]).toEqual([1, 0]);
  });

  it('an opener that throws is thrown the first time, and a failed attempt later', async () => {
    expect(() =>
      keepConnected(() => {
        throw new Error('no address');
      }),
    ).toThrow('no address');
    const { newest, open, sockets, told } = kept();
    open.mockImplementationOnce(() => {
      throw new Error('no address');
    });
    newest().closed(1006);
    await vi.advanceTimersToNextTimerAsync();
    expect(told.map(({ cause }) => cause)).toEqual(['lost', 'lost']);
    await vi.advanceTimersToNextTimerAsync();
    expect(sockets).toHaveLength(2);
  });

  it('a late close of an older socket changes nothing', async () => {
    const { newest, sockets, told } = kept();
    const first = newest();
    first.closed(1006);
    await vi.advanceTimersToNextTimerAsync();
    first.closed(1006);
    expect([sockets.length, told.length]).toEqual([2, 1]);
  });
});

describe('a kept connection with a watchdog', () => {
  const watchdog = { message: 'ping', intervalMs: 20_000, answerWithinMs: 4_000 };

  it('comes back at once when nothing answers, and ignores the late close', async () => {
    const { newest, sockets, told } = kept({ watchdog });
    const first = newest();
    await vi.advanceTimersByTimeAsync(23_999);
    expect([first.sent, told]).toEqual([['ping'], []]);
    await vi.advanceTimersByTimeAsync(1);
    expect([first.closes, told]).toMatchObject([[undefined], [{ cause: 'lost', retry: true }]]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sockets).toHaveLength(2);
    first.closed(1006);
    await vi.advanceTimersByTimeAsync(10_000);
    expect([sockets.length, told.length]).toEqual([2, 1]);
  });

  it('ignores a late close that comes before the next attempt, too', async () => {
    const { newest, sockets, told } = kept({ watchdog });
    await vi.advanceTimersByTimeAsync(24_000);
    newest().closed(1006);
    await vi.advanceTimersByTimeAsync(5_000);
    expect([sockets.length, told.length]).toEqual([2, 1]);
  });

  it('watches each next connection, and waits longer while none works', async () => {
    const { sockets, told } = kept({ watchdog: { ...watchdog, intervalMs: 1_000 } });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sockets.length).toBeGreaterThan(3);
    expect(told.at(-1)?.delayMs).toBeGreaterThan(told[0]?.delayMs ?? 0);
  });

  it('without a message is a mistake, told before there is a socket', () => {
    const open = vi.fn(() => new FakeSocket());
    expect(() => keepConnected(open, { watchdog: {} as { message: string } })).toThrow(
      new TypeError(
        `watchdog: message: got undefined, wanted a text that the server answers, such as '{"type":"ping"}', or an ArrayBuffer`,
      ),
    );
    expect(open).not.toHaveBeenCalled();
  });
});

it('takes the sockets of ws and of Node; those of browsers are in the pages of the examples', () => {
  expectTypeOf<WebSocketOfWs>().toExtend<SocketLike>();
  expectTypeOf<WebSocket>().toExtend<SocketLike>();
});
