import { describe, expect, it } from 'vitest';
import { Attempt, type AttemptListener } from '../../../src/adapters/attempt.js';
import { Doorway, type DoorwayOptions } from '../../../src/adapters/doorway.js';
import type { IncomingRequest } from '../../../src/adapters/upgrade-request.js';
import { createMooring, type ContextFields, type MooringOptions } from '../../../src/index.js';
import { FakeConnection, SimulatedTime } from '../../../src/testing/index.js';
import { afterThisTest } from '../../support/setup.js';

/** A framework of its own kind: its requests are names. */
type Name = string;

const origin = 'https://app.example';

function from(address: string, headers: IncomingRequest['headers'] = {}): IncomingRequest {
  return { headers: { origin, ...headers }, socket: { remoteAddress: address, destroyed: false } };
}

/** Writes down what it is told. */
class Notes implements AttemptListener {
  readonly lines: string[] = [];
  onDecided({ refusal }: Parameters<AttemptListener['onDecided']>[0]): void {
    this.lines.push(refusal === null ? 'admitted' : `${refusal.close.code} ${refusal.code}`);
  }
  onWaiting(): void {
    this.lines.push('waits');
  }
  onDisplaced({ status }: Parameters<AttemptListener['onDisplaced']>[0]): void {
    this.lines.push(`HTTP ${status}`);
  }
}

function open(options: Partial<DoorwayOptions<Name>> = {}, config: MooringOptions['config'] = {}) {
  const time = new SimulatedTime();
  const mooring = createMooring({ environment: 'production', env: {}, time, config });
  const authenticate = (userId: Name): ContextFields => ({ userId, threadId: 'thread_1' });
  const doorway = new Doorway<Name>({ mooring, authenticate, allowedOrigins: [origin], ...options });
  const attempts: Attempt<Name>[] = [];
  const arrive = (name: Name, incoming: IncomingRequest = from('192.0.2.1')) => {
    const attempt = doorway.arrive(name, incoming);
    if (attempt instanceof Attempt) attempts.push(attempt);
    return attempt;
  };
  /** `HTTP 403`, or what its listener is told. */
  const enter = (name: Name, incoming?: IncomingRequest): readonly string[] => {
    const attempt = arrive(name, incoming);
    const notes = new Notes();
    if (!(attempt instanceof Attempt)) return [`HTTP ${attempt.status}`];
    doorway.authenticateAndAdmit(attempt, notes);
    return notes.lines;
  };
  afterThisTest(async () => {
    const stopped = mooring.stop();
    for (const attempt of attempts) attempt.leave();
    await time.advance(60_000);
    await stopped;
    expect(mooring.arrivals.sizes.underWay).toBe(0);
  });
  return { time, mooring, doorway, arrive, enter };
}

const never = () => new Promise<never>(() => undefined);

describe('the steps of the doorway', () => {
  it.each<[string, IncomingRequest['headers'], string]>([
    ['a request with a body', { 'content-length': '5' }, 'HTTP 400'],
    ['a request with a body, of a foreign origin', { 'content-length': '5', origin: 'https://x.example' }, 'HTTP 400'],
    ['a foreign origin', { origin: 'https://x.example' }, 'HTTP 403'],
    ['an empty body', { 'content-length': '0' }, 'admitted'],
  ])('answer %s at once', (_, headers, answer) => {
    expect(open().enter('ada', from('192.0.2.1', headers))).toEqual([answer]);
  });

  it('do not count a request of a foreign origin, neither as a socket nor as an attempt', () => {
    const { enter } = open({ attemptRate: { limit: 1 } }, { maxUnadmittedSockets: 1 });
    for (let i = 0; i < 3; i++) expect(enter('x', from('192.0.2.1', { origin: 'null' }))).toEqual(['HTTP 403']);
    expect(enter('ada')).toEqual(['admitted']);
    expect(enter('ada')).toEqual(['HTTP 429']);
  });

  it('free the place of a client that tries too often, and say when to try again', () => {
    const { arrive } = open({ attemptRate: { limit: 1, windowMs: 5_000 } }, { maxUnadmittedSockets: 2 });
    expect(arrive('ada')).toBeInstanceOf(Attempt);
    const tooMany = { status: 429, reason: 'Too Many Requests', retryAfterMs: 5_000 };
    for (let i = 0; i < 3; i++) expect(arrive('ada')).toEqual(tooMany);
    expect(arrive('bob', from('192.0.2.2'))).toBeInstanceOf(Attempt);
    expect(arrive('cyd', from('192.0.2.3'))).toMatchObject({ status: 503 });
  });

  it('count attempts by keyOf of the rate, and sockets by it too if they have no keyOf', () => {
    const keyOf = (name: Name) => name;
    const { arrive } = open({ attemptRate: { limit: 10, keyOf }, authenticate: never }, { maxUnadmittedSockets: 4 });
    for (let i = 0; i < 4; i++) expect(arrive('mallory')).toBeInstanceOf(Attempt);
    expect(arrive('mallory')).toMatchObject({ status: 503 });
    expect(arrive('ada')).toBeInstanceOf(Attempt);
  });

  it('count attempts by the common keyOf too, and by the socket if it fails', () => {
    const keyOf = (name: Name) => (name === 'nobody' ? (undefined as never) : name);
    const { arrive } = open({ keyOf, attemptRate: { limit: 1 } });
    const tooMany = { status: 429 };
    expect(arrive('ada')).toBeInstanceOf(Attempt);
    expect(arrive('ada')).toMatchObject(tooMany);
    expect(arrive('bob')).toBeInstanceOf(Attempt);
    expect(arrive('nobody')).toBeInstanceOf(Attempt);
    expect(arrive('nobody')).toMatchObject(tooMany);
    expect(arrive('nobody', from('192.0.2.9'))).toBeInstanceOf(Attempt);
  });

  it.each(['the common', "the rate's"])(
    'outlive a rejection of %s keyOf, which should be no promise',
    async (whose) => {
      const keyOf = (() => Promise.reject(new Error('planted'))) as never;
      const attemptRate = { limit: 1 };
      const { arrive } = open(
        whose === 'the common' ? { keyOf, attemptRate } : { attemptRate: { ...attemptRate, keyOf } },
      );
      expect(arrive('ada')).toBeInstanceOf(Attempt);
      await new Promise(setImmediate); // an unhandled rejection fails the test
    },
  );

  it('call authenticate as a method of the options', () => {
    const seen: unknown[] = [];
    const options: Partial<DoorwayOptions<Name>> = {
      authenticate(this: unknown) {
        seen.push(this);
        return null;
      },
    };
    expect(open(options).enter('ada')).toEqual(['4401 credentials.rejected']);
    expect(seen).toEqual([expect.objectContaining(options)]);
  });

  it('call keyOf as a method of its options', () => {
    const seen: unknown[] = [];
    function keyOf(this: unknown, name: Name): string {
      seen.push(this);
      return name;
    }
    const attemptRate = { limit: 10, keyOf };
    const ofRate = open({ attemptRate, authenticate: never }, { maxUnadmittedSockets: 4 });
    ofRate.arrive('ada');
    expect(seen).toEqual([attemptRate, attemptRate]);
    const own = open({ keyOf, authenticate: never }, { maxUnadmittedSockets: 4 });
    own.arrive('ada');
    expect(seen.slice(2)).toEqual([expect.objectContaining({ keyOf })]);
  });

  it('refuse without asking once the server drains', async () => {
    const asked: Name[] = [];
    const { mooring, time, enter } = open({ authenticate: (name) => void asked.push(name) });
    void mooring.stop();
    expect(enter('ada')).toEqual(['1012 server.draining']);
    await time.advance(1_000);
    expect(asked).toEqual([]);
  });
});

describe('an authentication that takes time', () => {
  it('ends at its deadline, once', async () => {
    const { time, enter } = open({ authenticate: never }, { authenticateTimeoutMs: 1_000 });
    const lines = enter('ada');
    await time.advance(999);
    expect(lines).toEqual([]);
    await time.advance(1);
    expect(lines).toEqual(['1011 authentication.failed']);
  });

  it('does nothing for a client that was displaced meanwhile', async () => {
    const { time, doorway, arrive, enter } = open({ authenticate: never }, { maxUnadmittedSockets: 2 });
    const lines = [enter('mallory'), enter('mallory')];
    const attempt = arrive('ada', from('192.0.2.2'));
    expect(lines).toEqual([[], ['HTTP 503']]);
    if (attempt instanceof Attempt) doorway.authenticateAndAdmit(attempt, new Notes());
    await time.advance(60_000);
    expect(lines).toEqual([['1011 authentication.failed'], ['HTTP 503']]);
  });
});

describe('a client that has to wait for its admission', () => {
  it.each([
    ['is told so first, and then the decision', false, ['waits', '1013 quota.exceeded']],
    ['is not told the decision if it has left', true, ['waits']],
  ])('%s', async (_, leaves, lines) => {
    const authenticate = (name: Name) => ({ userId: 'ada', threadId: `thread_${name}` });
    const { mooring, time, arrive, doorway } = open({ authenticate }, { maxManagersPerUser: 1 });
    const first = new FakeConnection({ time });
    const { connection } = await mooring.connect(first, authenticate('1'));
    if (connection !== null) first.bind(connection);
    const attempt = arrive('2');
    if (!(attempt instanceof Attempt)) throw new Error('It was rejected');
    const notes = new Notes();
    doorway.authenticateAndAdmit(attempt, notes);
    expect([notes.lines, attempt.isAuthenticating]).toEqual([['waits'], false]);
    if (leaves) attempt.leave();
    await time.advance(30_000);
    expect(notes.lines).toEqual(lines);
  });
});
