import { describe, expect, it } from 'vitest';
import { printClaim } from '../../../src/redis/claims.js';
import { decode, valuesOf, type Reply } from '../../../src/redis/replies.js';

const holder = { processId: 'aaaaaaaa', rotation: 1, stampMs: 1_000, takeovers: 2 };

describe('the reply of', () => {
  it('register', () => {
    expect(decode.register(['ok', 5, 1_000, 'run', '7-0', '20'])).toEqual({
      ...{ kind: 'ok', clockMs: 5, nowMs: 1_000, runId: 'run', lastId: '7-0', otherLimit: 20 },
    });
    expect(decode.register(['taken', 5, 1_000, 'run', '', ''])).toMatchObject({ kind: 'taken', otherLimit: null });
    expect(decode.register(['ok', 5, 1_000, 'run', '', 'Infinity'])).toMatchObject({ otherLimit: Infinity });
    expect(decode.register(['ok', 5, 1_000, 'run', '', 'many'])).toMatchObject({ otherLimit: null });
  });

  it('beat, with unknown epochs and entries', () => {
    const state = { kind: 'ok', clockMs: 5, nowMs: 1_000, runId: 'run', firstId: '7-0', lastId: '8-0' };
    const entries = ['7-0', 4, 't', 'died', 'e', 'aaaaaaaa00', '8-0', 0];
    expect(decode.beat(['ok', 5, 1_000, 'run', '7-0', '8-0', 2, 'x', 'y', ...entries])).toEqual({
      ...state,
      unknownEpochs: ['x', 'y'],
      entries: [
        { id: '7-0', values: new Map(Object.entries({ t: 'died', e: 'aaaaaaaa00' })) },
        { id: '8-0', values: new Map() },
      ],
    });
  });

  it.each([
    [['granted', 2], { kind: 'granted', total: 2 }],
    [['takes', 2, printClaim(holder)], { kind: 'takes', total: 2, holder }],
    [['behind', '000000rs'], { kind: 'behind', stampMs: 1_000 }],
    [['contested', 1], { kind: 'contested', total: 1 }],
    [['full', 1], { kind: 'full', total: 1, elsewhere: [] }],
    [['full', 1, 'e', 1, 0], { kind: 'full', total: 1, elsewhere: [{ epoch: 'e', slots: 1, silentMs: 0 }] }],
    [['unknown'], { kind: 'unknown' }],
  ] as [Reply, object][])('acquire: %j', (reply, decoded) => {
    expect(decode.acquire(reply)).toEqual(decoded);
  });

  it('the others', () => {
    expect(decode.commit(['absent', 3])).toEqual({ kind: 'absent', total: 3 });
    expect(decode.release(['ok', 0])).toEqual({ kind: 'ok', total: 0 });
    expect(decode.exchange(['gone', 1])).toEqual({ kind: 'gone', total: 1 });
    expect(decode.assert(['ok', 0, 4])).toEqual({ kind: 'ok', lost: [0, 4] });
    expect(decode.verify(['pending'])).toEqual({ kind: 'pending' });
    expect(decode.leave(['ok', 1])).toEqual({ kind: 'ok', removed: 1 });
    expect(decode.commit(['unknown'])).toEqual({ kind: 'unknown' });
  });

  it.each([
    [() => decode.acquire([]), 'wanted granted or takes'],
    [() => decode.acquire(['granted']), 'wanted a count'],
    [() => decode.acquire(['granted', -1]), 'wanted a count'],
    [() => decode.acquire(['granted', 1, 2]), 'wanted its end'],
    [() => decode.acquire(['takes', 1, 'nobody']), 'wanted a claim'],
    [() => decode.register(['ok', 1, 2, 3, '', '']), 'wanted a text'],
    [() => decode.release(['held', 1]), 'wanted unknown or ok'],
  ])('no script is an error %#', (decodeIt, message) => {
    expect(decodeIt).toThrow(message);
  });
});

it('an entry with a name twice has the last value, and one without a value has none', () => {
  expect([...valuesOf(['a', '1', 'a', '2', 'b'])]).toEqual([['a', '2']]);
});
