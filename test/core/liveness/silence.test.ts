import { describe, expect, it } from 'vitest';
import { hasUnsent, judgeSilence, sample, stateOf } from '../../../src/core/liveness/silence.js';
import { loneConnection, unreadable, watchfulClock } from './lone-connection.js';

const slowConsumerTimeoutMs = 60_000;
const message = 8;
const megabyte = 2 ** 20;

/** A connection that was asked now, and how it is judged whenever that is wanted. */
function asked() {
  const at = watchfulClock();
  const lone = loneConnection(at);
  const bytesThen = lone.transport.bytesReceived;
  return { ...at, ...lone, judge: () => judgeSilence(lone.connection, bytesThen, slowConsumerTimeoutMs) };
}

describe('the state of a connection', () => {
  it('is open, closed, or cannot be read', () => {
    const { connection, transport } = asked();
    expect(stateOf(connection)).toBe('open');
    transport.vanish();
    expect(stateOf(connection)).toBe('closed');
    transport.throwsFrom.add('isOpen');
    expect(stateOf(connection)).toBe('unreadable');
  });
});

describe('a peer that was asked', () => {
  it('and said nothing is silent', () => {
    expect(asked().judge()).toBe('silent');
  });

  it.each([
    ['a pong', 'pong'],
    ['a message', 'message'],
    ['a keepalive', 'keepalive'],
  ] as const)('and sent %s is heard', (_, how) => {
    const { transport, judge } = asked();
    transport[how]('x' as never);
    expect(judge()).toBe('heard');
  });

  it('and sent a single byte of a message is heard', () => {
    const { transport, judge } = asked();
    transport.bytesReceived += 1;
    expect(judge()).toBe('heard');
  });

  it('of which nothing can be read is silent', () => {
    const { transport, judge } = asked();
    unreadable(transport);
    expect(judge()).toBe('silent');
  });
});

describe('unsent data', () => {
  it.each([
    [1, 'excused'],
    [59_999, 'excused'],
    [60_000, 'stuck'],
    [60_001, 'stuck'],
  ])('%i ms after the last byte: %s', async (forMs, verdict) => {
    const { time, transport, judge } = asked();
    transport.sendStuck();
    await time.advance(forMs);
    expect(judge()).toBe(verdict);
  });

  it('excuses anew from each write that completes', async () => {
    const { time, transport, judge } = asked();
    transport.sendStuck(megabyte);
    await time.advance(50_000);
    transport.bytesSent += 1;
    expect(judge()).toBe('excused');
    await time.advance(59_999);
    expect(judge()).toBe('excused');
    await time.advance(1);
    expect(judge()).toBe('stuck');
  });

  it.each(['message', 'keepalive'] as const)('that does not move is stuck, though a %s has just come', async (what) => {
    const { time, transport, judge } = asked();
    transport.sendStuck();
    await time.advance(59_999);
    transport[what]();
    expect(judge()).toBe('heard');
    await time.advance(1);
    transport[what]();
    expect(judge()).toBe('stuck');
  });

  it('counts from when it began to wait, and not from a write long before', async () => {
    const { time, transport, judge } = asked();
    transport.send();
    judge();
    await time.advance(600_000);
    transport.unsentBytes = 1;
    expect(judge()).toBe('excused');
    await time.advance(59_999);
    expect(judge()).toBe('excused');
    await time.advance(1);
    expect(judge()).toBe('stuck');
  });

  it('that had left in between counts from when it waits again', async () => {
    const { time, transport, judge } = asked();
    transport.sendStuck(100);
    await time.advance(40_000);
    transport.bytesSent += 100;
    transport.unsentBytes = 0;
    transport.sendStuck(100);
    await time.advance(40_000);
    expect(judge()).toBe('excused');
    await time.advance(59_999);
    expect(judge()).toBe('excused');
  });

  it('that has just left excuses too: what the kernel holds cannot be seen', async () => {
    const { time, transport, judge } = asked();
    transport.sendStuck(megabyte);
    await time.advance(1_000);
    transport.unsentBytes = 0;
    expect(judge()).toBe('excused');
  });

  it('that left is no excuse for ever', async () => {
    const { time, connection, transport, judge } = asked();
    transport.sendStuck(megabyte);
    sample(connection);
    transport.unsentBytes = 0;
    await time.advance(60_000);
    expect(judge()).toBe('silent');
  });

  it('of a frame that was only being compressed is none', () => {
    const { connection, transport, judge } = asked();
    transport.unsentBytes = 100;
    sample(connection);
    transport.unsentBytes = 0;
    expect(judge()).toBe('silent');
  });

  it('that the peer has answered since excuses no longer', async () => {
    const { time, connection, transport } = asked();
    transport.sendStuck(megabyte);
    await time.advance(1_000);
    transport.unsentBytes = 0;
    transport.message();
    sample(connection);
    expect(judgeSilence(connection, connection.bytesReceivedSeen, slowConsumerTimeoutMs)).toBe('silent');
  });

  it('is seen, and is no trouble where it cannot be', () => {
    const { connection, transport } = asked();
    expect(hasUnsent(connection)).toBe(false);
    transport.unsentBytes = 1;
    expect(hasUnsent(connection)).toBe(true);
    unreadable(transport);
    expect(hasUnsent(connection)).toBe(false);
  });

  it('excuses from when it was last seen, not from when it was handed over', async () => {
    const { time, connection, transport, judge } = asked();
    transport.sendStuck(megabyte);
    await time.advance(50_000);
    sample(connection);
    transport.unsentBytes = 0;
    await time.advance(59_999);
    expect(judge()).toBe('excused');
    await time.advance(1);
    expect(judge()).toBe('silent');
  });

  it('that was handed over piece by piece excuses from the first', async () => {
    const { time, transport, judge } = asked();
    transport.sendStuck();
    await time.advance(50_000);
    transport.sendStuck();
    transport.unsentBytes = 0;
    await time.advance(10_000);
    expect(judge()).toBe('silent');
  });

  it('excuses nothing where all of it left at once', () => {
    const { transport, judge } = asked();
    transport.send();
    expect(judge()).toBe('silent');
  });

  it.each([
    [16_384, 'silent'],
    [16_385, 'excused'],
  ])('of %i bytes in a sample, gone by the next: %s', (bytes, verdict) => {
    const { connection, transport, judge } = asked();
    transport.unsentBytes = bytes;
    sample(connection);
    transport.unsentBytes = 0;
    expect(judge()).toBe(verdict);
  });

  it('of which some is still here goes on excusing, though the peer answered what it had', () => {
    const { connection, transport } = asked();
    transport.sendStuck(megabyte);
    transport.unsentBytes = 1;
    transport.message();
    sample(connection);
    transport.unsentBytes = 0;
    expect(judgeSilence(connection, connection.bytesReceivedSeen, slowConsumerTimeoutMs)).toBe('excused');
  });
});

describe('paused reading', () => {
  it.each([
    [1, 'excused'],
    [59_999, 'excused'],
    [60_000, 'stuck'],
  ])('%i ms after the last byte: %s', async (forMs, verdict) => {
    const { time, transport, judge } = asked();
    transport.isReadingPaused = true;
    await time.advance(forMs);
    expect(judge()).toBe(verdict);
  });

  it('counts from the last byte that was read', async () => {
    const { time, connection, transport } = asked();
    await time.advance(10_000);
    transport.message();
    sample(connection);
    transport.isReadingPaused = true;
    await time.advance(59_999);
    expect(judgeSilence(connection, message, slowConsumerTimeoutMs)).toBe('excused');
    await time.advance(1);
    expect(judgeSilence(connection, message, slowConsumerTimeoutMs)).toBe('stuck');
  });

  it('that is over is no excuse', () => {
    const { transport, judge } = asked();
    transport.isReadingPaused = true;
    expect(judge()).toBe('excused');
    transport.isReadingPaused = false;
    expect(judge()).toBe('silent');
  });
});

describe('a message that is still arriving', () => {
  it('is activity, byte by byte', async () => {
    const { time, connection, transport, manager } = asked();
    await time.advance(1_000);
    transport.partialMessageBytes = 1;
    sample(connection);
    expect(manager.lastActivityAtMs).toBe(1_000);
    await time.advance(1_000);
    transport.partialMessageBytes = 2;
    sample(connection);
    expect(manager.lastActivityAtMs).toBe(2_000);
  });

  it('that stands still is none', async () => {
    const { time, connection, transport, manager } = asked();
    transport.partialMessageBytes = 5;
    sample(connection);
    await time.advance(1_000);
    sample(connection);
    expect(manager.lastActivityAtMs).toBe(0);
  });

  it('of a connection that was taken over is none', async () => {
    const { time, connection, transport, manager } = asked();
    manager.connection = null;
    await time.advance(1_000);
    transport.partialMessageBytes = 5;
    sample(connection);
    expect(manager.lastInboundAtMs).toBe(0);
  });

  it('cannot be told where the transport does not say', () => {
    const { connection, transport, manager } = asked();
    Object.defineProperty(transport, 'partialMessageBytes', { value: undefined });
    sample(connection);
    expect(manager.lastInboundAtMs).toBe(0);
  });

  it('that has arrived, and was a keepalive, is none', async () => {
    const { time, connection, transport, manager } = asked();
    transport.partialMessageBytes = 5;
    sample(connection);
    await time.advance(1_000);
    transport.partialMessageBytes = 0;
    sample(connection);
    expect(manager.lastInboundAtMs).toBe(0);
  });

  it('moved just now, though as much of it is there as of the one before', async () => {
    const { time, connection, transport } = asked();
    transport.partialMessageBytes = 5;
    sample(connection);
    await time.advance(10_000);
    transport.bytesReceived += 20;
    sample(connection);
    transport.isReadingPaused = true;
    await time.advance(59_999);
    expect(judgeSilence(connection, 20, slowConsumerTimeoutMs)).toBe('excused');
    await time.advance(1);
    expect(judgeSilence(connection, 20, slowConsumerTimeoutMs)).toBe('stuck');
  });
});

describe('a message that is still leaving', () => {
  it('counts as sent when some of it has left', async () => {
    const { time, connection, transport, manager } = asked();
    await time.advance(1_000);
    transport.sendStuck(megabyte);
    expect(manager.lastOutboundAtMs).toBe(0);
    await time.advance(1_000);
    transport.bytesSent += 1;
    sample(connection);
    expect(manager.lastOutboundAtMs).toBe(2_000);
  });

  it('counts as sent when it was handed over once all of it has left', async () => {
    const { time, transport, manager } = asked();
    await time.advance(1_000);
    transport.send();
    expect(manager.lastOutboundAtMs).toBe(1_000);
  });
});
