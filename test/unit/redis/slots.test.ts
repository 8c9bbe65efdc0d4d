import { beforeEach, describe, expect, it } from 'vitest';
import { nodeTimeoutMs, QuotaModel, type ModelProcess } from '../../support/quota-model.js';

let model: QuotaModel;
let a: ModelProcess;
let b: ModelProcess;
let c: ModelProcess;

beforeEach(() => {
  model = new QuotaModel();
  [a, b, c] = model.processes();
});

const lastId = (): string => model.state.log.at(-1)!.id;

describe('commit of a thread without a slot', () => {
  it('gives it one below the limit, and tells the others of a level', () => {
    b.open('u', 1_000);
    expect(a.commit('t', 1_000, { levels: '2' })).toEqual({ kind: 'held', total: 2 });
    expect(model.told()).toEqual(['total 2']);
  });

  it('is absent at the limit', () => {
    b.open('u', 1_000);
    expect(a.commit('t', 1_000, { limit: 1 })).toEqual({ kind: 'absent', total: 1 });
    expect(model.slot('t')).toBeUndefined();
  });

  it('is absent if the slot cannot be read', () => {
    model.setSlot('t', 'another format');
    expect(a.commit('t', 1_000)).toEqual({ kind: 'absent', total: 1 });
  });
});

describe('release', () => {
  it('frees the slot of the holder, whatever its rotation, and tells the others of a level', () => {
    a.open('t', 1_000);
    b.open('u', 1_000);
    a.rotation = 1;
    a.register();
    expect(a.release('t', 1_000, { levels: '2' })).toEqual({ kind: 'ok', total: 1 });
    expect(model.slot('t')).toBeUndefined();
    expect(model.told()).toEqual(['total 1']);
  });

  it('strips a successor', () => {
    a.open('t', 1_000);
    b.acquire('t', 5_000);
    expect(b.release('t', 5_000)).toEqual({ kind: 'ok', total: 1 });
    expect(model.slot('t')).toBe('a@1000');
  });

  it('makes the live successor of the holder the holder', () => {
    a.open('t', 1_000);
    b.acquire('t', 5_000);
    expect(a.release('t', 1_000)).toEqual({ kind: 'ok', total: 1 });
    expect(model.slot('t')).toBe('b@5000');
  });

  it('frees the slot if the successor is dead', () => {
    a.open('t', 1_000);
    b.acquire('t', 5_000);
    a.beatFor(nodeTimeoutMs);
    expect(a.release('t', 1_000)).toEqual({ kind: 'ok', total: 0 });
    expect(model.slot('t')).toBeUndefined();
  });

  it.each([
    ['a newer claim of its process', 900],
    ['a claim of another process', 2_000],
  ])('takes nothing from %s', (_, stampMs) => {
    a.open('t', 1_000);
    (stampMs === 900 ? a : b).release('t', stampMs);
    expect(model.slot('t')).toBe('a@1000');
  });
});

describe('exchange', () => {
  beforeEach(() => {
    a.open('t', 1_000);
  });

  it('gives the slot to a claim of another process, which is told', () => {
    expect(a.exchange(['t', a.claim(1_000)], ['u', b.claim(5_000)])).toEqual({ kind: 'exchanged', total: 1 });
    expect([model.slot('t'), model.slot('u')]).toEqual([undefined, 'b@5000']);
    expect(model.told()).toEqual(['granted u b@5000']);
  });

  it('has the same answer again', () => {
    for (let time = 0; time < 2; time++)
      expect(a.exchange(['t', a.claim(1_000)], ['u', b.claim(5_000)])).toEqual({ kind: 'exchanged', total: 1 });
    expect(model.told()).toHaveLength(1);
  });

  it('is gone if the victim is another claim', () => {
    expect(a.exchange(['t', a.claim(999)], ['u', b.claim(5_000)])).toEqual({ kind: 'gone', total: 1 });
  });

  it('is gone if the victim has a successor', () => {
    c.acquire('t', 4_000);
    expect(a.exchange(['t', a.claim(1_000)], ['u', b.claim(5_000)])).toEqual({ kind: 'gone', total: 1 });
  });

  it('is gone if the newcomer has a slot', () => {
    b.open('u', 4_000);
    expect(a.exchange(['t', a.claim(1_000)], ['u', b.claim(5_000)])).toEqual({ kind: 'gone', total: 2 });
  });

  it('is gone if the newcomer is dead: nobody is given away for it', () => {
    a.beatFor(nodeTimeoutMs);
    expect(a.exchange(['t', a.claim(1_000)], ['u', b.claim(5_000)])).toEqual({ kind: 'gone', total: 1 });
    expect(model.slot('t')).toBe('a@1000');
  });
});

describe('assert of a thread without a slot', () => {
  it('gives it one beyond the limit', () => {
    b.open('u', 1_000, { limit: 1 });
    expect(a.assert('t', 1_000)).toEqual({ kind: 'ok', lost: [] });
    expect(model.slot('t')).toBe('a@1000');
  });

  it('is lost if an entry after the cursor says that it moved', () => {
    a.open('t', 1_000);
    const cursor = lastId();
    b.open('t', 5_000);
    b.release('t', 5_000);
    expect(a.assert('t', 1_000, { cursor })).toEqual({ kind: 'ok', lost: [0] });
    expect(a.assert('t', 1_001, { cursor })).toEqual({ kind: 'ok', lost: [] });
  });

  it('is not lost by what the caller has seen before', () => {
    a.open('t', 1_000);
    b.open('t', 5_000);
    b.release('t', 5_000);
    expect(a.assert('t', 1_000, { cursor: lastId() })).toEqual({ kind: 'ok', lost: [] });
  });

  it('concludes nothing from a slot that it cannot read', () => {
    model.setSlot('t', 'another format');
    expect(a.assert('t', 1_000)).toEqual({ kind: 'ok', lost: [] });
    expect(model.slot('t')).toBe('another format');
  });

  it('drops the slots of the dead', () => {
    b.open('u', 1_000);
    a.beatFor(nodeTimeoutMs);
    a.assert('t', 1_000);
    expect(model.slot('u')).toBeUndefined();
  });
});

describe('verify', () => {
  it('says what a claim has', () => {
    a.open('t', 1_000);
    b.acquire('t', 5_000);
    expect([a.verify('t', 1_000), b.verify('t', 5_000)]).toEqual(['held', 'pending']);
    b.commit('t', 5_000);
    expect([a.verify('t', 1_000), b.verify('t', 5_000)]).toEqual(['lost', 'held']);
    expect(a.verify('u', 1_000)).toBe('lost');
  });

  it('finds a claim under an epoch that is dead: nobody has superseded it', () => {
    a.open('t', 1_000);
    a.rotation = 1;
    a.register();
    a.leave('aaaaaaaa00');
    expect(a.verify('t', 1_000)).toBe('held');
  });
});
