import { describe, expect, it, vi } from 'vitest';
import { LogOutput } from '../../../src/cli/server/log-output.js';

/** A reader that takes so many bytes and then stands still, until it is given more. */
function reader(mostBytes = 100) {
  const read: string[] = [];
  const told: number[] = [];
  const state = { room: 0, error: null as Error | null };
  const output = new LogOutput({
    mostBytes,
    take: (bytes) => {
      if (state.error !== null) throw state.error;
      const taken = Math.min(state.room, bytes.length);
      state.room -= taken;
      read.push(bytes.subarray(0, taken).toString());
      return taken;
    },
    whenDropped: (lines) => told.push(lines),
  });
  return { output, state, told, text: () => read.join('') };
}

const error = (code: string) => Object.assign(new Error(code), { code });

describe('log lines', () => {
  it('are out before the call returns where the reader takes them', () => {
    const { output, state, text } = reader();
    state.room = 100;
    output.write('one\n');
    output.write('two\n');
    expect(text()).toBe('one\ntwo\n');
  });

  it('wait in order for a reader that stands still, up to a limit, and are counted beyond it', () => {
    vi.useFakeTimers();
    const { output, state, text, told } = reader(12);
    state.room = 2;
    for (const line of ['one\n', 'two\n', 'six\n', 'ten\n', 'end\n']) output.write(line);
    expect([text(), output.dropped]).toEqual(['on', 2]);
    state.room = 100;
    vi.advanceTimersByTime(20);
    expect([text(), told, output.dropped]).toEqual(['one\ntwo\nsix\n', [2], 0]);
    vi.useRealTimers();
  });

  it('end with their reader, and nobody fails', () => {
    const { output, state } = reader();
    state.error = error('EPIPE');
    output.write('one\n');
    state.error = null;
    state.room = 100;
    output.write('two\n');
    expect(state.room).toBe(100);
  });

  it('go on after a disk was full', () => {
    const { output, state, text } = reader();
    state.error = error('ENOSPC');
    output.write('one\n');
    state.error = null;
    state.room = 100;
    output.write('two\n');
    expect(text()).toBe('two\n');
  });

  it('that a full disk drops are told of once there is room, and not while it is full', () => {
    const state = { error: error('ENOSPC') as Error | null };
    const told: number[] = [];
    const written: string[] = [];
    const output = new LogOutput({
      take: (bytes) => {
        if (state.error !== null) throw state.error;
        written.push(bytes.toString());
        return bytes.length;
      },
      // As the logger does it.
      whenDropped: (lines) => {
        told.push(lines);
        output.write('some were dropped\n');
      },
    });
    output.write('one\n');
    output.write('two\n');
    expect(told).toEqual([]);
    state.error = null;
    output.write('six\n');
    expect([told, written]).toEqual([[2], ['six\n', 'some were dropped\n']]);
  });

  it('are waited for at the end, and not for ever', () => {
    const { output, state, text } = reader();
    output.write('one\n');
    output.flushWithin(30);
    expect(text()).toBe('');
    state.room = 100;
    output.flushWithin(30);
    expect(text()).toBe('one\n');
  });
});
