import { describe, expect, it } from 'vitest';
import { RefusedSockets } from '../../../src/adapters/refused-sockets.js';
import { UnauthenticatedCap } from '../../../src/adapters/unauthenticated-cap.js';

function socketsOf(address: string, displaced: string[]) {
  let count = 0;
  return () => {
    const name = `${address} ${(count += 1)}`;
    return { address, displace: () => displaced.push(name) };
  };
}

describe('the cap of unauthenticated sockets', () => {
  const setUp = (most: number) => {
    const displaced: string[] = [];
    const cap = new UnauthenticatedCap(most);
    const come = (address: string) => cap.add(socketsOf(address, displaced)());
    return { cap, displaced, come };
  };

  it('is all for one address while nobody else comes', () => {
    const { come } = setUp(8);
    for (let i = 0; i < 8; i++) expect(come('a')).toBe(true);
    expect(come('a')).toBe(false);
  });

  it('is given back, to a quarter, to addresses that come later', () => {
    const { cap, come, displaced } = setUp(8);
    for (let i = 0; i < 8; i++) come('a');
    for (const address of ['b', 'b', 'c', 'c', 'd', 'd']) expect(come(address)).toBe(true);
    expect(displaced).toHaveLength(6);
    for (const address of ['a', 'b', 'c', 'd', 'e']) expect(come(address)).toBe(false);
    expect(cap.size).toBe(8);
  });

  it('displaces the newest of the address that has most', () => {
    const displaced: string[] = [];
    const cap = new UnauthenticatedCap(4);
    const [a, b] = [socketsOf('a', displaced), socketsOf('b', displaced)];
    for (let i = 0; i < 4; i++) cap.add(a());
    cap.add(b());
    expect(displaced).toEqual(['a 4']);
  });

  it('of one is for whoever comes first', () => {
    const { come, displaced } = setUp(1);
    expect([come('a'), come('b')]).toEqual([true, false]);
    expect(displaced).toEqual([]);
  });

  it('has room again once one has left, which counts once', () => {
    const { cap, come } = setUp(1);
    const socket = socketsOf('a', [])();
    cap.add(socket);
    cap.remove(socket);
    cap.remove(socket);
    expect([cap.size, come('a'), come('a')]).toEqual([0, true, false]);
  });

  it('counts nothing where there is none', () => {
    const { cap, come } = setUp(Infinity);
    for (let i = 0; i < 1_000; i++) come('a');
    expect(cap.size).toBe(0);
  });
});

describe('refused sockets that are closing', () => {
  const setUp = (most: number) => {
    const destroyed: string[] = [];
    const sockets = new RefusedSockets(most);
    const add = (owner: string, name: string) => sockets.add({ owner, destroy: () => destroyed.push(name) });
    return { sockets, destroyed, add };
  };

  it('of one user are at most a quarter of all: its oldest goes', () => {
    const { sockets, destroyed, add } = setUp(8);
    for (const name of ['1', '2', '3', '4']) add('mallory', name);
    add('ada', '5');
    expect(destroyed).toEqual(['1', '2']);
    expect(sockets.size).toBe(3);
  });

  it('are bounded in all: the oldest goes', () => {
    const { sockets, destroyed, add } = setUp(4);
    for (const name of ['1', '2', '3', '4', '5']) add(`user ${name}`, name);
    expect(destroyed).toEqual(['1']);
    expect(sockets.size).toBe(4);
  });

  it('that have closed count no longer', () => {
    const { sockets, destroyed, add } = setUp(1);
    add('ada', '1')();
    add('ada', '2');
    expect([destroyed, sockets.size]).toEqual([[], 1]);
  });
});
