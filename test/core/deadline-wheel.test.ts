import { describe, expect, it } from 'vitest';
import { DeadlineWheel, type WheelItem } from '../../src/core/deadline-wheel.js';
import { seeded } from './support.js';

const item = (): WheelItem => ({ wheelBucket: -1, wheelIndex: 0 });

function wheelOf(...buckets: number[]) {
  const wheel = new DeadlineWheel(10);
  const items = buckets.map(() => item());
  for (const [i, bucket] of buckets.entries()) wheel.put(items[i]!, bucket);
  return { wheel, items };
}

const taken = (wheel: DeadlineWheel<WheelItem>, bucket: number): Set<WheelItem> => new Set(wheel.take(bucket));

describe('a deadline wheel', () => {
  it('has an item in the bucket it was put in', () => {
    const { wheel, items } = wheelOf(3);
    expect(wheel.at(3, 0)).toBe(items[0]);
    expect(wheel.countIn(3)).toBe(1);
  });

  it('has nothing elsewhere', () => {
    const { wheel } = wheelOf(3);
    expect(wheel.at(3, 1)).toBeUndefined();
    expect(wheel.countIn(4)).toBe(0);
  });

  it('goes around', () => {
    const { wheel, items } = wheelOf(23);
    expect(wheel.at(3, 0)).toBe(items[0]);
    expect(wheel.countIn(33)).toBe(1);
  });

  it('counts what lies in all buckets', () => {
    expect(wheelOf(1, 1, 2, 9).wheel.count).toBe(4);
  });

  it('moves an item that is put again', () => {
    const { wheel, items } = wheelOf(1);
    wheel.put(items[0]!, 2);
    expect([wheel.countIn(1), wheel.countIn(2), wheel.count]).toEqual([0, 1, 1]);
  });

  it('takes an item out once', () => {
    const { wheel, items } = wheelOf(1, 1);
    wheel.remove(items[0]!);
    wheel.remove(items[0]!);
    expect(wheel.count).toBe(1);
    expect(wheel.at(1, 0)).toBe(items[1]);
  });

  it.each([0, 1, 2])('finds the others after number %i of three is taken out', (taken) => {
    const { wheel, items } = wheelOf(5, 5, 5);
    wheel.remove(items[taken]!);
    const others = items.filter((_, i) => i !== taken);
    for (const other of others) wheel.remove(other);
    expect(wheel.count).toBe(0);
  });

  it('gives a bucket up, and takes anew from then on', () => {
    const { wheel, items } = wheelOf(5, 5, 6);
    expect(taken(wheel, 5)).toEqual(new Set(items.slice(0, 2)));
    expect([wheel.count, wheel.countIn(5)]).toEqual([1, 0]);
    wheel.put(items[0]!, 5);
    wheel.remove(items[1]!);
    expect(taken(wheel, 5)).toEqual(new Set([items[0]]));
  });

  it('gives each up once, whatever is put in and taken out in between', () => {
    const { wheel, items } = wheelOf(...Array.from({ length: 100 }, () => 5));
    const random = seeded(1);
    const seen: WheelItem[] = [];
    for (const item of wheel.take(5)) {
      seen.push(item);
      wheel.put(item, 15);
      const other = items[Math.floor(random() * items.length)]!;
      if (random() < 0.3 && other.wheelBucket === 5) wheel.remove(other);
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBeLessThan(100);
    expect(wheel.count).toBe(seen.length);
    expect(taken(wheel, 15)).toEqual(new Set(seen));
  });

  it('leaves an item of a further turn where it is until its own number comes', () => {
    const { wheel, items } = wheelOf(3, 13, 23, 3);
    expect(taken(wheel, 3)).toEqual(new Set([items[0], items[3]]));
    expect(wheel.count).toBe(2);
    expect(taken(wheel, 13)).toEqual(new Set([items[1]]));
    wheel.remove(items[2]!);
    expect(wheel.count).toBe(0);
  });

  it('takes what is overdue by whole turns too', () => {
    const { wheel, items } = wheelOf(3, 13);
    expect(taken(wheel, 33)).toEqual(new Set(items));
  });

  it('does nothing about an item that was never put', () => {
    const { wheel } = wheelOf(1);
    wheel.remove(item());
    expect(wheel.count).toBe(1);
  });

  it('is as large as it was made', () => {
    expect(new DeadlineWheel(7).size).toBe(7);
  });

  it('lets go of an item in bucket 0', () => {
    const { wheel, items } = wheelOf(0);
    wheel.remove(items[0]!);
    expect(wheel.count).toBe(0);
  });

  it('goes on where others took out what it had not come to', () => {
    const { wheel, items } = wheelOf(3, 3, 3, 3);
    const left = new Set(items);
    for (const item of wheel.take(3)) {
      left.delete(item);
      for (const other of [...left].slice(0, 2)) {
        left.delete(other);
        wheel.remove(other);
      }
    }
    expect([left.size, wheel.count]).toEqual([0, 0]);
  });

  it('has no buckets before the first', () => {
    expect(() => wheelOf(0).wheel.countIn(-1)).toThrow(new TypeError('There is no bucket -1'));
  });
});
