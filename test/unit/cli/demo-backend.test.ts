import { describe, expect, it } from 'vitest';
import { commandIn } from '../../../src/cli/server/demo-backend.js';

const commandOf = (text: string) => commandIn(Buffer.from(text));

describe('the demo backend', () => {
  it.each(['', 'hello', '{', '{}', '{"type":"walk"}', '[{"type":"run"}]', 'null', '{"type":"run"'])(
    'echoes %j',
    (text) => {
      expect(commandOf(text)).toBe('echo');
    },
  );

  it('gives up when asked to', () => {
    expect(commandOf('{"type":"fail"}')).toBe('fail');
  });

  it('runs when asked to', () => {
    expect(commandOf('{"type":"run","tokens":3,"everyMs":10}')).toEqual({
      run: { type: 'run', tokens: 3, everyMs: 10 },
    });
    expect(commandOf('{"type":"run","tokens":3}')).toEqual({ run: { type: 'run', tokens: 3, everyMs: 50 } });
  });

  it.each([
    ['{"type":"run"}', /tokens/],
    ['{"type":"run","tokens":0}', /tokens/],
    ['{"type":"run","tokens":"many"}', /tokens/],
    ['{"type":"run","tokens":1e9}', /tokens/],
    ['{"type":"run","tokens":1,"everyMs":-1}', /everyMs/],
    ['{"type":"run","tokens":1.5,"everyMs":"fast"}', /tokens.*everyMs/],
  ])('says what is wrong with %s', (text, problem) => {
    expect(commandOf(text)).toEqual({ problem: expect.stringMatching(problem) as string });
  });
});
