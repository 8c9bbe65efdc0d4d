import { beforeEach, describe, expect, it } from 'vitest';
import { beatMs, nodeTimeoutMs, QuotaModel, type ModelProcess } from '../../support/quota-model.js';

let model: QuotaModel;
let a: ModelProcess;
let b: ModelProcess;

beforeEach(() => {
  model = new QuotaModel();
  [a, b] = model.processes();
  a.beat();
  b.beat();
});

describe('register', () => {
  it('is taken if the epoch is there, and refreshes nothing', () => {
    a.beatFor(2_000);
    expect(b.register()).toMatchObject({ kind: 'taken' });
    expect(model.state.epochs.get(b.epoch)).toBe(0);
  });

  it('gives a cursor that is in the log', () => {
    const { lastId } = model.process('d').register();
    expect(model.state.log.at(-1)?.id).toBe(lastId);
    expect(model.state.log.at(-1)?.texts).toEqual(['t', 'joined', 'e', 'dddddddd00']);
  });
});

describe('the clock', () => {
  it('runs like Redis while anybody beats', () => {
    const { clockMs } = a.beat();
    a.beatFor(30_000);
    expect(a.beat().clockMs).toBe(clockMs + 30_000);
  });

  it.each([
    ['stood still or leapt ahead', 3_600_000, 2 * beatMs],
    ['leapt back', -3_600_000, 0],
  ])('is not led astray if Redis %s, and nobody dies of it', (_, leapMs, passedMs) => {
    const { clockMs } = a.beat();
    model.nowMs += leapMs;
    expect(a.beat().clockMs).toBe(clockMs + passedMs);
    expect(b.beat().unknownEpochs).toEqual([]);
  });

  it('goes on from the newest beat if it is lost, so that the dead stay dead', () => {
    b.acquire('t', 1_000);
    a.beatFor(nodeTimeoutMs - 1);
    model.state.lastMs = null;
    expect(a.beat().clockMs).toBe(nodeTimeoutMs - 1);
    a.beatFor(1);
    expect(b.beat().unknownEpochs).toEqual([b.epoch]);
  });
});

describe('beat', () => {
  it.each([
    [nodeTimeoutMs - 1, []],
    [nodeTimeoutMs, ['bbbbbbbb00', 'cccccccc00']],
  ])('removes others that were silent for %d ms: %j', (ms, dead) => {
    a.beatFor(ms);
    expect(model.told()).toEqual(dead.map((epoch) => `died ${epoch}`));
  });

  it('does not bring an epoch back that was silent as long, or is not there', () => {
    for (let beat = 0; beat < nodeTimeoutMs; beat += beatMs) {
      model.nowMs += beatMs;
      a.beat({ epochs: ['nobody0000'] });
    }
    expect(a.beat().unknownEpochs).toEqual([a.epoch]);
    expect([...model.state.epochs.keys()]).toEqual([]);
  });

  it('refreshes all epochs of a process', () => {
    const before = b.epoch;
    b.rotation = 1;
    b.register();
    model.nowMs += beatMs;
    b.beat({ epochs: [before, b.epoch] });
    expect([before, b.epoch].map((epoch) => model.state.epochs.get(epoch))).toEqual([beatMs, beatMs]);
  });

  it('brings the first 200 entries after the cursor', () => {
    const cursor = a.beat().lastId;
    for (let number = 0; number < 250; number++) {
      b.rotation = number + 1;
      b.register();
    }
    const { entries, lastId } = a.beat({ cursor });
    expect(entries).toHaveLength(200);
    expect(entries[0]?.values.get('e')).toBe('bbbbbbbb01');
    const rest = a.beat({ cursor: entries.at(-1)!.id });
    expect(rest.entries).toHaveLength(50);
    expect(rest.entries.at(-1)?.id).toBe(lastId);
  });

  it('shows by its first entry that some were dropped', () => {
    const { firstId } = a.beat();
    for (let number = 0; number < 4_200; number++) {
      b.leave(b.epoch);
      b.register();
    }
    expect(a.beat().firstId).not.toBe(firstId);
    expect(model.state.log).toHaveLength(4_096);
  });
});

describe('leave', () => {
  it('frees everything under the epochs, in one command', () => {
    a.acquire('t', 1_000);
    a.acquire('u', 1_000);
    expect(a.leave(a.epoch, 'nobody0000')).toBe(1);
    expect(b.acquire('v', 2_000)).toEqual({ kind: 'granted', total: 1 });
  });
});
