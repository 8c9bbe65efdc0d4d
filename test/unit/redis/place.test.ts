import { beforeEach, describe, expect, it } from 'vitest';
import { QuotaModel, type ModelProcess } from '../../support/quota-model.js';

/** The thread t is held by a@1000. Claims of b and c are placed by commit (open) and by assert (open or not). */
let model: QuotaModel;
let a: ModelProcess;
let b: ModelProcess;
let c: ModelProcess;

beforeEach(() => {
  model = new QuotaModel();
  [a, b, c] = model.processes();
  a.open('t', 1_000);
});

describe('a claim that is the holder', () => {
  it('stays', () => {
    expect(a.assert('t', 1_000)).toEqual({ kind: 'ok', lost: [] });
    expect(model.slot('t')).toBe('a@1000');
  });

  it('is in the rotation of the call, so that the epoch before may leave', () => {
    const before = a.epoch;
    a.rotation = 1;
    a.register();
    a.assert('t', 1_000);
    a.leave(before);
    expect(a.acquire('u', 1_500)).toEqual({ kind: 'granted', total: 2 });
  });

  it('is not led back by a call that comes late', () => {
    a.rotation = 1;
    a.register();
    a.assert('t', 1_000);
    a.rotation = 0;
    a.assert('t', 1_000);
    a.rotation = 1;
    a.leave('aaaaaaaa00');
    expect(a.acquire('u', 1_500)).toEqual({ kind: 'granted', total: 2 });
  });

  it('keeps its successor', () => {
    b.acquire('t', 5_000);
    a.assert('t', 1_000);
    expect(model.slot('t')).toBe('a@1000 > b@5000');
  });
});

describe('a claim that is the successor', () => {
  beforeEach(() => {
    b.acquire('t', 5_000);
  });

  it('becomes the holder once it is open, and the former one is told', () => {
    expect(b.commit('t', 5_000)).toEqual({ kind: 'held', total: 1 });
    expect(model.slot('t')).toBe('b@5000');
    expect(model.told()).toEqual(['moved t a@1000']);
  });

  it('stays the successor until then', () => {
    expect(b.assert('t', 5_000, { isOpen: false })).toEqual({ kind: 'ok', lost: [] });
    expect(model.slot('t')).toBe('a@1000 > b@5000');
    expect(model.told()).toEqual([]);
  });
});

describe('a claim that is older than the holder', () => {
  it.each([true, false])('is lost, if it is open: %s', (isOpen) => {
    expect(b.assert('t', 500, { isOpen })).toEqual({ kind: 'ok', lost: [0] });
    expect(model.slot('t')).toBe('a@1000');
  });

  it('is older with an equal stamp, if its process has the lower id', () => {
    b.open('t', 5_000);
    expect(a.commit('t', 5_000)).toEqual({ kind: 'lost', total: 1 });
    expect(c.commit('t', 5_000)).toEqual({ kind: 'held', total: 1 });
  });
});

describe('a claim between holder and successor', () => {
  beforeEach(() => {
    c.acquire('t', 9_000);
  });

  it('becomes the holder if it is open, and the successor stays', () => {
    expect(b.commit('t', 5_000)).toEqual({ kind: 'held', total: 1 });
    expect(model.slot('t')).toBe('b@5000 > c@9000');
    expect(model.told()).toEqual(['moved t a@1000']);
  });

  it('is lost if it is not open', () => {
    expect(b.assert('t', 5_000, { isOpen: false })).toEqual({ kind: 'ok', lost: [0] });
    expect(model.slot('t')).toBe('a@1000 > c@9000');
  });
});

describe('the newest claim', () => {
  it('becomes the holder if it is open', () => {
    expect(b.commit('t', 5_000)).toEqual({ kind: 'held', total: 1 });
    expect(model.slot('t')).toBe('b@5000');
    expect(model.told()).toEqual(['moved t a@1000']);
  });

  it('becomes the successor if it is not open', () => {
    expect(b.assert('t', 5_000, { isOpen: false })).toEqual({ kind: 'ok', lost: [] });
    expect(model.slot('t')).toBe('a@1000 > b@5000');
    expect(model.told()).toEqual([]);
  });

  it('replaces a successor, which is told', () => {
    b.acquire('t', 5_000);
    c.acquire('t', 9_000);
    expect(model.slot('t')).toBe('a@1000 > c@9000');
    expect(model.told()).toEqual(['moved t b@5000']);
  });

  it('replaces both if it is open, and both are told', () => {
    b.acquire('t', 5_000);
    c.commit('t', 9_000);
    expect(model.slot('t')).toBe('c@9000');
    expect(model.told()).toEqual(['moved t b@5000', 'moved t a@1000']);
  });
});
