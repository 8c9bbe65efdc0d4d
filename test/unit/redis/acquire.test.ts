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

describe('acquire of a thread without a slot', () => {
  it('is granted below the limit, with the total', () => {
    expect(a.acquire('t', 1_000)).toEqual({ kind: 'granted', total: 1 });
    expect(b.acquire('u', 1_000)).toEqual({ kind: 'granted', total: 2 });
    expect([model.slot('t'), model.slot('u')]).toEqual(['a@1000', 'b@1000']);
  });

  it('is full at the limit, and says who has the slots', () => {
    a.acquire('t', 1_000);
    b.acquire('u', 1_000);
    model.nowMs += 400;
    b.beat();
    expect(c.acquire('v', 2_000)).toEqual({
      kind: 'full',
      total: 2,
      elsewhere: [
        { epoch: a.epoch, slots: 1, silentMs: 400 },
        { epoch: b.epoch, slots: 1, silentMs: 0 },
      ],
    });
    expect(model.slot('v')).toBeUndefined();
  });

  it('is full with a limit that was lowered', () => {
    a.acquire('t', 1_000);
    a.acquire('u', 1_000);
    expect(b.acquire('v', 1_000, { limit: 1 })).toMatchObject({ kind: 'full', total: 2 });
  });

  it('does not count the slots of the dead, and drops them', () => {
    a.acquire('t', 1_000);
    a.acquire('u', 1_000);
    b.beatFor(nodeTimeoutMs);
    expect(b.acquire('v', 9_000)).toEqual({ kind: 'granted', total: 1 });
    expect([model.slot('t'), model.slot('u')]).toEqual([undefined, undefined]);
  });

  it('counts a slot that it cannot read, and leaves it', () => {
    model.setSlot('t', 'another format');
    expect(a.acquire('u', 1_000)).toEqual({ kind: 'granted', total: 2 });
    expect(a.acquire('v', 1_000)).toEqual({
      kind: 'full',
      total: 2,
      elsewhere: [expect.objectContaining({ slots: 1 })],
    });
    expect(model.slot('t')).toBe('another format');
  });

  it('tells the others if the total crosses a level', () => {
    a.acquire('t', 1_000, { levels: '1,2' });
    expect(model.told()).toEqual([]);
    b.acquire('u', 1_000, { levels: '1,2' });
    expect(model.told()).toEqual(['total 2']);
  });
});

describe('acquire by the process that holds the thread', () => {
  beforeEach(() => {
    a.acquire('t', 1_000);
  });

  it('changes nothing with the same claim, which a client sends again', () => {
    b.acquire('t', 5_000);
    expect(a.acquire('t', 1_000)).toEqual({ kind: 'granted', total: 1 });
    expect(model.slot('t')).toBe('a@1000 > b@5000');
  });

  it('replaces its claim by a newer one', () => {
    expect(a.acquire('t', 2_000)).toEqual({ kind: 'granted', total: 1 });
    expect(model.slot('t')).toBe('a@2000');
    expect(model.told()).toEqual([]);
  });

  it('keeps a successor that is newer', () => {
    b.acquire('t', 5_000);
    a.acquire('t', 4_000);
    expect(model.slot('t')).toBe('a@4000 > b@5000');
  });

  it('replaces a successor that is older, and tells it', () => {
    b.acquire('t', 5_000);
    a.acquire('t', 6_000);
    expect(model.slot('t')).toBe('a@6000');
    expect(model.told()).toEqual(['moved t b@5000']);
  });

  it('is behind with an older claim', () => {
    expect(a.acquire('t', 900)).toEqual({ kind: 'behind', stampMs: 1_000 });
  });
});

describe('acquire of a thread that another process holds', () => {
  beforeEach(() => {
    a.acquire('t', 1_000);
  });

  it('gives it the place of the successor, whatever the limit', () => {
    expect(b.acquire('t', 5_000, { limit: 1 })).toEqual({ kind: 'takes', total: 1, holder: a.claim(1_000) });
    expect(model.slot('t')).toBe('a@1000 > b@5000');
  });

  it('has the same answer again', () => {
    b.acquire('t', 5_000);
    expect(b.acquire('t', 5_000)).toEqual({ kind: 'takes', total: 1, holder: a.claim(1_000) });
    expect(model.slot('t')).toBe('a@1000 > b@5000');
  });

  it('replaces its own successor by a newer one', () => {
    b.acquire('t', 5_000);
    expect(b.acquire('t', 6_000)).toMatchObject({ kind: 'takes' });
    expect(model.slot('t')).toBe('a@1000 > b@6000');
    expect(model.told()).toEqual([]);
  });

  it('is behind its own newer successor', () => {
    b.acquire('t', 5_000);
    expect(b.acquire('t', 4_000)).toEqual({ kind: 'behind', stampMs: 5_000 });
  });

  it('is behind a newer holder, and behind the successor of another', () => {
    expect(b.acquire('t', 999)).toEqual({ kind: 'behind', stampMs: 1_000 });
    c.acquire('t', 9_000);
    expect(b.acquire('t', 5_000)).toEqual({ kind: 'behind', stampMs: 9_000 });
  });

  it('takes nothing that it cannot read', () => {
    model.setSlot('t', 'another format');
    expect(b.acquire('t', 5_000)).toEqual({ kind: 'contested', total: 1 });
    expect(model.slot('t')).toBe('another format');
  });

  it('takes over from the successor, if the holder is dead', () => {
    b.acquire('t', 5_000);
    for (let second = 0; second < 5; second++) {
      b.beatFor(1_000);
      c.beat();
    }
    expect(c.acquire('t', 9_000)).toEqual({ kind: 'takes', total: 1, holder: b.claim(5_000) });
    expect(model.slot('t')).toBe('b@5000 > c@9000');
  });
});

describe('two processes that take a thread from each other', () => {
  it('are refused at the sixth takeover less than 2 s after the one before', () => {
    a.open('t', 10_000);
    for (let takeover = 1; takeover <= 5; takeover++) (takeover % 2 === 1 ? b : a).open('t', 10_000 + 1_999 * takeover);
    expect(model.slot('t')).toBe('b@19995+5');
    expect(a.acquire('t', 21_994)).toEqual({ kind: 'contested', total: 1 });
    expect(model.slot('t')).toBe('b@19995+5');
  });

  it('may go on after 2 s, from the beginning', () => {
    a.open('t', 10_000);
    for (let takeover = 1; takeover <= 5; takeover++) (takeover % 2 === 1 ? b : a).open('t', 10_000 + 1_999 * takeover);
    a.open('t', 21_995);
    expect(model.slot('t')).toBe('a@21995');
  });

  it('are not counted for what a process replaces by itself, which does not end the run either', () => {
    a.open('t', 10_000);
    b.open('t', 10_100);
    b.open('t', 10_200);
    expect(model.slot('t')).toBe('b@10200+1');
  });
});

describe('a process whose epoch is not alive', () => {
  it('is unknown to every script but register, beat and leave', () => {
    a.acquire('t', 1_000);
    b.beatFor(nodeTimeoutMs);
    expect(a.acquire('u', 2_000)).toEqual({ kind: 'unknown' });
    expect(a.commit('t', 1_000)).toEqual({ kind: 'unknown' });
    expect(a.release('t', 1_000)).toEqual({ kind: 'unknown' });
    expect(a.exchange(['t', a.claim(1_000)], ['u', b.claim(1)])).toEqual({ kind: 'unknown' });
    expect(a.assert('t', 1_000)).toEqual({ kind: 'unknown' });
    expect(a.verify('t', 1_000)).toBe('unknown');
    expect(a.beat().unknownEpochs).toEqual([a.epoch]);
    expect(a.leave(a.epoch)).toBe(0);
    expect(a.register()).toMatchObject({ kind: 'ok' });
    expect(a.acquire('u', 2_000)).toMatchObject({ kind: 'granted' });
  });
});
