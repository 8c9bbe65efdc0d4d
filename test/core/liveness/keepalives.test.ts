import { describe, expect, it } from 'vitest';
import { EventStream, type MooringEvent } from '../../../src/core/events.js';
import { Keepalives, longestAsked, type IsKeepalive } from '../../../src/core/liveness/keepalives.js';

function keepalives(isKeepalive?: IsKeepalive, recogniseKeepalives = true) {
  const events = new EventStream(() => 0);
  const said: MooringEvent[] = [];
  events.onAny((event) => said.push(event));
  return { judge: new Keepalives({ events, recogniseKeepalives, isKeepalive }), said };
}

describe("an application's own isKeepalive", () => {
  it('stands beside the presets', () => {
    const { judge } = keepalives((message) => message === 'tick');
    expect(judge.matches('tick')).toBe(true);
    expect(judge.matches('{"type":"ping"}')).toBe(true);
    expect(judge.matches('tock')).toBe(false);
  });

  it('is asked only about what the presets do not match, and about short messages', () => {
    const asked: unknown[] = [];
    const { judge } = keepalives((message) => asked.push(message) < 0);
    for (const message of ['2', 'a', 'b'.repeat(longestAsked), 'c'.repeat(longestAsked + 1)]) judge.matches(message);
    expect(asked).toEqual(['a', 'b'.repeat(longestAsked)]);
  });

  it('gets text as a string, and other bytes as bytes', () => {
    const asked: unknown[] = [];
    const { judge } = keepalives((message) => asked.push(message) < 0);
    judge.matches(Buffer.from('grüß'), true);
    judge.matches(Buffer.from([1, 2]));
    expect(asked).toEqual(['grüß', Buffer.from([1, 2])]);
  });

  it('counts with the presets switched off', () => {
    const { judge } = keepalives((message) => message === 'tick', false);
    expect(judge.matches('tick')).toBe(true);
    expect(judge.matches('{"type":"ping"}')).toBe(false);
  });

  it.each<[string, IsKeepalive, string]>([
    ['throws', () => fail(), 'Error: no'],
    ['gives nothing', (() => undefined) as never, 'isKeepalive gave undefined, wanted true or false at once'],
    ['gives what is merely true', (() => 1) as never, 'isKeepalive gave 1, wanted true or false at once'],
    [
      'gives a promise that rejects',
      (() => Promise.reject(new Error('no'))) as never,
      'isKeepalive gave [object Promise], wanted true or false at once',
    ],
  ])('that %s makes messages activity, and is told once', (_, own, error) => {
    const { judge, said } = keepalives(own);
    expect([judge.matches('a'), judge.matches('b')]).toEqual([false, false]);
    expect(said).toEqual([{ type: 'keepalive.failed', atMs: 0, error }]);
  });

  it('can be another for one server', () => {
    const { judge } = keepalives((message) => message === 'tick');
    const other = judge.with((message) => message === 'tock');
    expect([judge.matches('tock'), other.matches('tock'), other.matches('tick')]).toEqual([false, true, false]);
    expect(judge.with(undefined)).toBe(judge);
  });

  it('must be a function', () => {
    const { judge } = keepalives();
    expect(() => judge.with('tick' as never)).toThrow(
      new TypeError('isKeepalive: got tick, wanted a function of a message that gives true or false'),
    );
  });
});

function fail(): never {
  throw new Error('no');
}

describe('fields that came as an object', () => {
  it.each([
    [{ event: 'ping', args: [] }, true, true],
    [{ event: 'say', args: 'hello' }, true, false],
    [{ event: 'ping', args: [] }, false, false],
  ])('%j, with the presets on: %s, are a keepalive: %s', (fields, recogniseKeepalives, expected) => {
    expect(keepalives(undefined, recogniseKeepalives).judge.matchesFields(fields)).toBe(expected);
  });
});
