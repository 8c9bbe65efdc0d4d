import { describe, expect, it } from 'vitest';
import { hasUnsent, judgeSilence, sample, stateOf } from '../../../src/core/liveness/silence.js';
import { loneLink, unreadable, watchfulClock } from './lone-link.js';

const slowConsumerTimeoutMs = 60_000;
const message = 8;
const megabyte = 2 ** 20;

/** A connection that was asked now, and how it is judged whenever that is wanted. */
function asked() {
  const at = watchfulClock();
  const lone = loneLink(at);
  const bytesThen = lone.connection.bytesReceived;
  return { ...at, ...lone, judge: () => judgeSilence(lone.link, bytesThen, slowConsumerTimeoutMs) };
}

describe('the state of a connection', () => {
  it('is open, closed, or cannot be read', () => {
    const { link, connection } = asked();
    expect(stateOf(link)).toBe('open');
    connection.vanish();
    expect(stateOf(link)).toBe('closed');
    connection.throwsFrom.add('isOpen');
    expect(stateOf(link)).toBe('unreadable');
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
    const { connection, judge } = asked();
    connection[how]('x' as never);
    expect(judge()).toBe('heard');
  });

  it('and sent a single byte of a message is heard', () => {
    const { connection, judge } = asked();
    connection.bytesReceived += 1;
    expect(judge()).toBe('heard');
  });

  it('of which nothing can be read is silent', () => {
    const { connection, judge } = asked();
    unreadable(connection);
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
    const { time, connection, judge } = asked();
    connection.sendStuck();
    await time.advance(forMs);
    expect(judge()).toBe(verdict);
  });

  it('excuses anew from each write that completes', async () => {
    const { time, connection, judge } = asked();
    connection.sendStuck(megabyte);
    await time.advance(50_000);
    connection.bytesSent += 1;
    expect(judge()).toBe('excused');
    await time.advance(59_999);
    expect(judge()).toBe('excused');
    await time.advance(1);
    expect(judge()).toBe('stuck');
  });

  it.each(['message', 'keepalive'] as const)('that does not move is stuck, though a %s has just come', async (what) => {
    const { time, connection, judge } = asked();
    connection.sendStuck();
    await time.advance(59_999);
    connection[what]();
    expect(judge()).toBe('heard');
    await time.advance(1);
    connection[what]();
    expect(judge()).toBe('stuck');
  });

  it('counts from when it began to wait, and not from a write long before', async () => {
    const { time, connection, judge } = asked();
    connection.send();
    judge();
    await time.advance(600_000);
    connection.unsentBytes = 1;
    expect(judge()).toBe('excused');
    await time.advance(59_999);
    expect(judge()).toBe('excused');
    await time.advance(1);
    expect(judge()).toBe('stuck');
  });

  it('that had left in between counts from when it waits again', async () => {
    const { time, connection, judge } = asked();
    connection.sendStuck(100);
    await time.advance(40_000);
    connection.bytesSent += 100;
    connection.unsentBytes = 0;
    connection.sendStuck(100);
    await time.advance(40_000);
    expect(judge()).toBe('excused');
    await time.advance(59_999);
    expect(judge()).toBe('excused');
  });

  it('that has just left excuses too: what the kernel holds cannot be seen', async () => {
    const { time, connection, judge } = asked();
    connection.sendStuck(megabyte);
    await time.advance(1_000);
    connection.unsentBytes = 0;
    expect(judge()).toBe('excused');
  });

  it('that left is no excuse for ever', async () => {
    const { time, link, connection, judge } = asked();
    connection.sendStuck(megabyte);
    sample(link);
    connection.unsentBytes = 0;
    await time.advance(60_000);
    expect(judge()).toBe('silent');
  });

  it('of a frame that was only being compressed is none', () => {
    const { link, connection, judge } = asked();
    connection.unsentBytes = 100;
    sample(link);
    connection.unsentBytes = 0;
    expect(judge()).toBe('silent');
  });

  it('that the peer has answered since excuses no longer', async () => {
    const { time, link, connection } = asked();
    connection.sendStuck(megabyte);
    await time.advance(1_000);
    connection.unsentBytes = 0;
    connection.message();
    sample(link);
    expect(judgeSilence(link, link.bytesReceivedSeen, slowConsumerTimeoutMs)).toBe('silent');
  });

  it('is seen, and is no trouble where it cannot be', () => {
    const { link, connection } = asked();
    expect(hasUnsent(link)).toBe(false);
    connection.unsentBytes = 1;
    expect(hasUnsent(link)).toBe(true);
    unreadable(connection);
    expect(hasUnsent(link)).toBe(false);
  });

  it('excuses from when it was last seen, not from when it was handed over', async () => {
    const { time, link, connection, judge } = asked();
    connection.sendStuck(megabyte);
    await time.advance(50_000);
    sample(link);
    connection.unsentBytes = 0;
    await time.advance(59_999);
    expect(judge()).toBe('excused');
    await time.advance(1);
    expect(judge()).toBe('silent');
  });

  it('that was handed over piece by piece excuses from the first', async () => {
    const { time, connection, judge } = asked();
    connection.sendStuck();
    await time.advance(50_000);
    connection.sendStuck();
    connection.unsentBytes = 0;
    await time.advance(10_000);
    expect(judge()).toBe('silent');
  });

  it('excuses nothing where all of it left at once', () => {
    const { connection, judge } = asked();
    connection.send();
    expect(judge()).toBe('silent');
  });

  it.each([
    [16_384, 'silent'],
    [16_385, 'excused'],
  ])('of %i bytes in a sample, gone by the next: %s', (bytes, verdict) => {
    const { link, connection, judge } = asked();
    connection.unsentBytes = bytes;
    sample(link);
    connection.unsentBytes = 0;
    expect(judge()).toBe(verdict);
  });

  it('of which some is still here goes on excusing, though the peer answered what it had', () => {
    const { link, connection } = asked();
    connection.sendStuck(megabyte);
    connection.unsentBytes = 1;
    connection.message();
    sample(link);
    connection.unsentBytes = 0;
    expect(judgeSilence(link, link.bytesReceivedSeen, slowConsumerTimeoutMs)).toBe('excused');
  });
});

describe('paused reading', () => {
  it.each([
    [1, 'excused'],
    [59_999, 'excused'],
    [60_000, 'stuck'],
  ])('%i ms after the last byte: %s', async (forMs, verdict) => {
    const { time, connection, judge } = asked();
    connection.isReadingPaused = true;
    await time.advance(forMs);
    expect(judge()).toBe(verdict);
  });

  it('counts from the last byte that was read', async () => {
    const { time, link, connection } = asked();
    await time.advance(10_000);
    connection.message();
    sample(link);
    connection.isReadingPaused = true;
    await time.advance(59_999);
    expect(judgeSilence(link, message, slowConsumerTimeoutMs)).toBe('excused');
    await time.advance(1);
    expect(judgeSilence(link, message, slowConsumerTimeoutMs)).toBe('stuck');
  });

  it('that is over is no excuse', () => {
    const { connection, judge } = asked();
    connection.isReadingPaused = true;
    expect(judge()).toBe('excused');
    connection.isReadingPaused = false;
    expect(judge()).toBe('silent');
  });
});

describe('a message that is still arriving', () => {
  it('is activity, byte by byte', async () => {
    const { time, link, connection, manager } = asked();
    await time.advance(1_000);
    connection.partialMessageBytes = 1;
    sample(link);
    expect(manager.lastActivityAtMs).toBe(1_000);
    await time.advance(1_000);
    connection.partialMessageBytes = 2;
    sample(link);
    expect(manager.lastActivityAtMs).toBe(2_000);
  });

  it('that stands still is none', async () => {
    const { time, link, connection, manager } = asked();
    connection.partialMessageBytes = 5;
    sample(link);
    await time.advance(1_000);
    sample(link);
    expect(manager.lastActivityAtMs).toBe(0);
  });

  it('of a connection that was taken over is none', async () => {
    const { time, link, connection, manager } = asked();
    manager.link = null;
    await time.advance(1_000);
    connection.partialMessageBytes = 5;
    sample(link);
    expect(manager.lastInboundAtMs).toBe(0);
  });

  it('cannot be told where the transport does not say', () => {
    const { link, connection, manager } = asked();
    Object.defineProperty(connection, 'partialMessageBytes', { value: undefined });
    sample(link);
    expect(manager.lastInboundAtMs).toBe(0);
  });

  it('that has arrived, and was a keepalive, is none', async () => {
    const { time, link, connection, manager } = asked();
    connection.partialMessageBytes = 5;
    sample(link);
    await time.advance(1_000);
    connection.partialMessageBytes = 0;
    sample(link);
    expect(manager.lastInboundAtMs).toBe(0);
  });

  it('moved just now, though as much of it is there as of the one before', async () => {
    const { time, link, connection } = asked();
    connection.partialMessageBytes = 5;
    sample(link);
    await time.advance(10_000);
    connection.bytesReceived += 20;
    sample(link);
    connection.isReadingPaused = true;
    await time.advance(59_999);
    expect(judgeSilence(link, 20, slowConsumerTimeoutMs)).toBe('excused');
    await time.advance(1);
    expect(judgeSilence(link, 20, slowConsumerTimeoutMs)).toBe('stuck');
  });
});

describe('a message that is still leaving', () => {
  it('counts as sent when some of it has left', async () => {
    const { time, link, connection, manager } = asked();
    await time.advance(1_000);
    connection.sendStuck(megabyte);
    expect(manager.lastOutboundAtMs).toBe(0);
    await time.advance(1_000);
    connection.bytesSent += 1;
    sample(link);
    expect(manager.lastOutboundAtMs).toBe(2_000);
  });

  it('counts as sent when it was handed over once all of it has left', async () => {
    const { time, connection, manager } = asked();
    await time.advance(1_000);
    connection.send();
    expect(manager.lastOutboundAtMs).toBe(1_000);
  });
});
