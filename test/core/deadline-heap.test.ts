import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeadlineHeap, type HeapItem } from '../../src/core/deadline-heap.js';

const itemOf = (): HeapItem => ({ dueAtMs: 0, heapIndex: -1 });

describe('a deadline heap', () => {
  it('has the earliest first, whatever is put in, moved and taken out', () => {
    const step = fc.record({ item: fc.nat(11), dueAtMs: fc.option(fc.nat(20), { nil: null }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const items = Array.from({ length: 12 }, itemOf);
        const heap = new DeadlineHeap<HeapItem>();
        const wanted = new Map<HeapItem, number>();
        for (const { item: number, dueAtMs } of steps) {
          const item = items[number]!;
          if (dueAtMs === null) expect(heap.remove(item)).toBe(wanted.delete(item));
          else {
            heap.put(item, dueAtMs);
            wanted.set(item, dueAtMs);
          }
          expect(heap.size).toBe(wanted.size);
          expect(heap.first?.dueAtMs).toBe(wanted.size === 0 ? undefined : Math.min(...wanted.values()));
        }
      }),
    );
  });

  it('keeps the given order of items with the same deadline', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3), { maxLength: 40 }), (deadlines) => {
        const items = deadlines.map((dueAtMs, order) => ({ ...itemOf(), dueAtMs, order }));
        const heap = new DeadlineHeap<(typeof items)[number]>(
          (a, b) => a.dueAtMs < b.dueAtMs || (a.dueAtMs === b.dueAtMs && a.order < b.order),
        );
        for (const item of items) heap.put(item, item.dueAtMs);
        const taken: typeof items = [];
        for (let { first } = heap; first !== undefined; { first } = heap) {
          heap.remove(first);
          taken.push(first);
        }
        expect(taken).toEqual([...items].sort((a, b) => a.dueAtMs - b.dueAtMs || a.order - b.order));
      }),
    );
  });

  it('takes nothing out twice', () => {
    const heap = new DeadlineHeap<HeapItem>();
    const item = itemOf();
    heap.put(item, 5);
    expect([heap.remove(item), heap.remove(item), heap.first]).toEqual([true, false, undefined]);
  });
});
