import { describe, expect, it } from 'vitest';
import { DeadlineWheel, type WheelItem } from '../../src/core/deadline-wheel.js';

const item = (): WheelItem => ({ wheelBucket: -1, wheelIndex: 0 });

function wheelOf(...buckets: number[]) {
  const wheel = new DeadlineWheel(10);
  const items = buckets.map(() => item());
  for (const [i, bucket] of buckets.entries()) wheel.put(items[i]!, bucket);
  return { wheel, items };
}

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

  it('gives a bucket up whole, and takes anew from then on', () => {
    const { wheel, items } = wheelOf(5, 5, 6);
    expect(wheel.take(5)).toEqual(items.slice(0, 2));
    expect([wheel.count, wheel.countIn(5)]).toEqual([1, 0]);
    wheel.put(items[0]!, 5);
    wheel.remove(items[1]!);
    expect(wheel.at(5, 0)).toBe(items[0]);
    expect(wheel.take(5)).toEqual([items[0]]);
  });

  it('leaves an item of a further turn where it is until its own number comes', () => {
    const { wheel, items } = wheelOf(3, 13, 23, 3);
    expect(wheel.take(3)).toEqual([items[0], items[3]]);
    expect(wheel.count).toBe(2);
    expect(wheel.take(13)).toEqual([items[1]]);
    wheel.remove(items[2]!);
    expect(wheel.count).toBe(0);
  });

  it('takes what is overdue by whole turns too', () => {
    const { wheel, items } = wheelOf(3, 13);
    expect(wheel.take(33)).toEqual(items);
  });

  it('does nothing about an item that was never put', () => {
    const { wheel } = wheelOf(1);
    wheel.remove(item());
    expect(wheel.count).toBe(1);
  });

  it('is as large as it was made', () => {
    expect(new DeadlineWheel(7).size).toBe(7);
  });
});
