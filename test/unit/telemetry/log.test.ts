import { Writable } from 'node:stream';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createMooring } from '../../../src/index.js';
import { logEvents, Sampler } from '../../../src/telemetry/log.js';
import { FakeConnection, SimulatedTime } from '../../../src/testing/index.js';

/** A Mooring whose events are logged; every line that was written. */
function logged(maxManagersPerUser = 20) {
  const written: string[] = [];
  const to = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk.toString());
      done();
    },
  });
  const time = new SimulatedTime();
  const mooring = createMooring({ time, env: {}, environment: 'production', maxManagersPerUser });
  const logger = pino({ level: 'debug', base: null }, to);
  const end = logEvents(mooring, logger);
  const lines = () => written.map((text) => JSON.parse(text) as Record<string, unknown>);
  const refuse = (userId = 'ada') => mooring.decide({ userId, threadId: 'thread_1' });
  return { time, mooring, logger, written, lines, end, refuse };
}

describe('the log', () => {
  it('has what happened, to whom, in order', async () => {
    const { mooring, lines } = logged();
    const context = { userId: 'ada', threadId: 'thread_1' };
    const { connection } = await mooring.connect(new FakeConnection(), context);
    connection?.closed();
    expect(lines().map(({ msg }) => msg)).toEqual(['manager.admitted', 'connection.opened', 'manager.released']);
    expect(lines()[2]).toMatchObject({ level: 20, userId: 'ada', threadId: 'thread_1', reason: 'closed' });
    expect(lines().every((line) => !('atMs' in line) && 'time' in line)).toBe(true);
  });

  it('has refusals as warnings, five of a kind in ten seconds, and then how many there were', async () => {
    const { time, refuse, lines } = logged(0);
    for (let i = 0; i < 105; i++) refuse();
    expect(lines().map(({ msg }) => msg)).toEqual(Array.from({ length: 5 }, () => 'admission.refused'));
    expect(lines()[0]).toMatchObject({ level: 40, closeCause: 'quota' });
    await time.advance(10_000);
    refuse();
    expect(lines().slice(5)).toMatchObject([
      { msg: 'admission.refused quota: more of the same', suppressed: 100 },
      { msg: 'admission.refused' },
    ]);
  });

  it('counts every cause by itself', async () => {
    const { mooring, refuse, lines } = logged(0);
    for (let i = 0; i < 7; i++) refuse();
    await mooring.stop();
    refuse();
    expect(lines().at(-1)).toMatchObject({ msg: 'admission.refused', closeCause: 'drain' });
  });

  it('is one line for each event, whatever a user is called', () => {
    const { mooring, written, lines } = logged();
    const userId = 'a"}\u2028{"level":60,"msg":"forged"}';
    mooring.decide({ userId, threadId: 'thread_1' });
    expect(written.join('').trimEnd().split('\n')).toHaveLength(lines().length);
    expect(lines()[0]).toMatchObject({ msg: 'manager.admitted', userId });
  });

  it('ends when told to', () => {
    const { end, refuse, written } = logged(0);
    end();
    refuse();
    expect(written).toEqual([]);
  });
});

describe('a sampler of one line', () => {
  it('says a thing once, and again with the count after ten seconds', () => {
    const { logger, lines } = logged();
    const sampler = new Sampler(logger, 1);
    expect([0, 1, 9_999].map((atMs) => sampler.admits('full', atMs))).toEqual([true, false, false]);
    expect(sampler.admits('full', 10_000)).toBe(true);
    expect(lines()).toMatchObject([{ msg: 'full: more of the same', suppressed: 2 }]);
    expect(sampler.admits('full', 20_000)).toBe(true);
    expect(lines()).toHaveLength(1);
  });
});
