import { describe, expect, it } from 'vitest';
import { isPromise } from '../../src/core/promises.js';

describe('something to be awaited', () => {
  it.each([
    ['a promise', true, () => Promise.resolve()],
    ['a thenable', true, () => ({ then: () => undefined })],
    ['nothing', false, () => undefined],
    ['null', false, () => null],
    ['a text', false, () => 'then'],
    ['an object', false, () => ({})],
    ['an object whose then is no function', false, () => ({ then: 1 })],
  ])('may be %s: %s', (_, wanted, make) => {
    expect(isPromise(make())).toBe(wanted);
  });

  it('is no object that throws when it is looked at', () => {
    const nasty = {
      get then(): never {
        throw new Error('no');
      },
    };
    expect(isPromise(nasty)).toBe(false);
  });
});
