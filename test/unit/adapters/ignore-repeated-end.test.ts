import { PassThrough } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { ignoreRepeatedEnd } from '../../../src/adapters/ignore-repeated-end.js';

describe('a stream whose end is made to count once', () => {
  it('ends at the first call, and later ones reach Node no more', () => {
    const end = vi.spyOn(PassThrough.prototype, 'end');
    const stream = new PassThrough();
    ignoreRepeatedEnd(stream);
    expect([stream.end(), stream.end(), stream.end()]).toEqual([stream, stream, stream]);
    expect([stream.writableEnded, end.mock.calls.length]).toEqual([true, 1]);
  });

  it('takes data and callbacks as before, and a late callback hears that it is late', async () => {
    const stream = new PassThrough();
    ignoreRepeatedEnd(stream);
    await new Promise<void>((resolve) => stream.resume().end('last words', 'utf8', resolve));
    const late = await new Promise((resolve) => stream.end(resolve));
    expect(late).toMatchObject({ code: 'ERR_STREAM_ALREADY_FINISHED' });
  });

  it('keeps an `end` that somebody else has put there', () => {
    const stream = new PassThrough();
    const end = vi.fn();
    stream.end = end;
    ignoreRepeatedEnd(stream);
    expect(stream.end).toBe(end);
  });
});
