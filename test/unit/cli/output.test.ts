import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { onOutputErrors, showProgress } from '../../../src/cli/terminal/output.js';

function outputs() {
  const stdout = new EventEmitter();
  const stderr = Object.assign(new EventEmitter(), { write: vi.fn() });
  const exit = vi.fn();
  onOutputErrors({ stdout, stderr }, exit);
  return { stdout, stderr, exit };
}

const errorWith = (code: string) => Object.assign(new Error(`write ${code}`), { code });

describe('an error of the output', () => {
  it('that means nobody reads on ends the process with the code it has, without a word', () => {
    const { stdout, stderr, exit } = outputs();
    stdout.emit('error', errorWith('EPIPE'));
    expect([exit.mock.calls, stderr.write.mock.calls]).toEqual([[[]], []]);
  });

  it('of another kind is told in a line, and ends it with 1', () => {
    const { stdout, stderr, exit } = outputs();
    stdout.emit('error', errorWith('ENOSPC'));
    expect([exit.mock.calls, stderr.write.mock.calls]).toEqual([
      [[1]],
      [['mooring: cannot write to stdout: write ENOSPC\n']],
    ]);
  });

  it('of stderr changes nothing', () => {
    const { stderr, exit } = outputs();
    stderr.emit('error', errorWith('EPIPE'));
    expect(exit).not.toHaveBeenCalled();
  });
});

describe('progress', () => {
  it('is one line, written over, on a terminal', () => {
    const write = vi.fn();
    showProgress('1 of 24 h', { isTTY: true, write });
    showProgress('', { isTTY: true, write });
    expect(write.mock.calls).toEqual([['\r\u001b[K1 of 24 h'], ['\r\u001b[K']]);
  });

  it('is not written elsewhere', () => {
    const write = vi.fn();
    showProgress('1 of 24 h', { write });
    showProgress('1 of 24 h', { isTTY: false, write });
    expect(write).not.toHaveBeenCalled();
  });
});
