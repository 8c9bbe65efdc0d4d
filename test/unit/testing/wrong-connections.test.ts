import { beforeAll, describe, expect, it } from 'vitest';
import { connectionContract, type ConnectionFixture } from '../../../src/testing/index.js';
import { pretended, type Pretence } from '../../support/pretended-connection.js';

/** The connection's field is what `read` makes of what it would be, and is written as before. */
function distort<Name extends keyof Pretence['transport']>(
  { transport }: Pretence,
  name: Name,
  read: (value: Pretence['transport'][Name]) => Pretence['transport'][Name],
): void {
  const own = Object.getOwnPropertyDescriptor(transport, name);
  const inherited = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(transport), name);
  let value = own?.value as Pretence['transport'][Name];
  Object.defineProperty(transport, name, {
    get: () => read(own === undefined ? (inherited?.get?.call(transport) as typeof value) : value),
    set: (written: typeof value) => (value = written),
  });
}

/** Something else happens first, or instead where it returns true. */
function before<Name extends 'ping' | 'close' | 'terminate' | 'message' | 'keepalive' | 'pong' | 'send' | 'fail'>(
  { transport }: Pretence,
  name: Name,
  act: (...args: Parameters<Pretence['transport'][Name]>) => unknown,
): void {
  const original = transport[name].bind(transport) as (...args: unknown[]) => void;
  Object.assign(transport, {
    [name]: (...args: Parameters<Pretence['transport'][Name]>) => {
      if (act(...args) !== true) original(...args);
    },
  });
}

const pingBytes = (payload: string): number => 2 + payload.length;

/** What is wrong, how it becomes so, and the case that must find it. */
const wrong: [string, (pretence: Pretence) => void, string][] = [
  ['is never open', (p) => distort(p, 'isOpen', () => false), 'is open, and its manager holds a place'],
  ['gives another socket', (p) => distort(p, 'socket', () => ({}) as never), 'gives the application its socket'],
  [
    'never says that too much waits',
    (p) => (p.reports.overfull = nothing),
    'closes a client for which more waits than may',
  ],
  [
    'counts messages, not their bytes',
    (p) => before(p, 'message', (bytes = 0) => void (p.transport.bytesReceived -= bytes - 1)),
    'counts at least the payload of every message that arrives',
  ],
  [
    'counts nothing that it sends',
    (p) => distort(p, 'bytesSent', () => 0),
    'counts at least the payload of every message that leaves',
  ],
  ['takes messages for keepalives', (p) => (p.reports.received = p.reports.touched), 'reports a message as activity'],
  [
    'takes pings for messages',
    (p) => (p.reports.touched = p.reports.received),
    'reports a ping as a sign of life, and not as activity',
  ],
  [
    'takes keepalives for messages',
    (p) => (p.reports.touched = p.reports.received),
    'reports a keepalive as a sign of life, and not as activity',
  ],
  ['does not report what is sent', (p) => (p.reports.sent = nothing), 'reports what the application sends'],
  [
    'says of everything that it is stuck',
    ({ connection, reports }) => (reports.sent = () => connection.sent(true)),
    'reports what the application sends',
  ],
  [
    'says of nothing that it is stuck',
    ({ connection, reports }) => (reports.sent = () => connection.sent(false)),
    'says of a message that it is stuck',
  ],
  [
    'does not report pongs',
    (p) => (p.reports.ponged = nothing),
    'reports the pong of a ping, with its payload and its bytes',
  ],
  [
    'cuts the payload of a pong',
    ({ connection, reports }) => (reports.ponged = (payload) => connection.ponged(payload.slice(0, 124))),
    'reports the pong of a ping, with its payload and its bytes',
  ],
  [
    'takes pongs for messages',
    ({ connection, reports }) =>
      (reports.ponged = (payload) => {
        connection.ponged(payload);
        connection.received();
      }),
    'reports the pong of a ping, with its payload and its bytes',
  ],
  [
    'does not count the bytes of pongs',
    (p) => before(p, 'pong', (payload) => (p.reports.ponged(payload), true)),
    'reports the pong of a ping, with its payload and its bytes',
  ],
  [
    'counts the pings of Mooring as sent',
    (p) => before(p, 'ping', (payload) => void (p.transport.bytesSent += pingBytes(payload))),
    'does not count the pings of Mooring as sent',
  ],
  [
    'counts pings that are stuck as sent',
    (p) =>
      before(p, 'ping', (payload) => {
        if (p.transport.unsentBytes > 0) p.transport.bytesSent += pingBytes(payload);
      }),
    'counts no pings as sent while data is stuck, nor backwards',
  ],
  [
    'takes pings off that have not left',
    (p) =>
      before(p, 'ping', (payload) => {
        if (p.transport.unsentBytes > 0) p.transport.bytesSent -= pingBytes(payload);
      }),
    'counts no pings as sent while data is stuck, nor backwards',
  ],
  [
    'answers for its peer',
    (p) =>
      before(p, 'ping', (payload) => {
        p.transport.bytesReceived += 8;
        p.reports.ponged(payload);
      }),
    'gets no answer from a peer that does not read',
  ],
  [
    'never says that something has not left',
    (p) => distort(p, 'unsentBytes', () => 0),
    'says how much has not left, and that it has',
  ],
  [
    'counts what is stuck as sent',
    (p) => distort(p, 'bytesSent', (bytes) => bytes + p.transport.unsentBytes),
    'says how much has not left, and that it has',
  ],
  ['never says that nobody reads', (p) => distort(p, 'isReadingPaused', () => false), 'says whether it is read'],
  [
    'says that nobody reads, from the first pause on',
    (p) => {
      let wasPaused = false;
      distort(p, 'isReadingPaused', (isPaused) => (wasPaused ||= isPaused));
    },
    'says whether it is read',
  ],
  [
    'says nothing of a message that is arriving',
    (p) => distort(p, 'partialMessageBytes', () => 0),
    'says how much has come of a message that is arriving',
  ],
  [
    'says only that a message is arriving',
    (p) => distort(p, 'partialMessageBytes', (bytes) => Math.min(1, bytes)),
    'says how much has come of a message that is arriving',
  ],
  [
    'takes all that ever came for a message that is arriving',
    (p) => distort(p, 'partialMessageBytes', () => p.transport.bytesReceived),
    'has nothing of a message between messages',
  ],
  [
    'takes pongs for the beginning of a message',
    (p) => before(p, 'pong', (payload) => void (p.transport.partialMessageBytes += payload.length)),
    'has nothing of a message between messages',
  ],
  [
    'counts what came last only',
    (p) => before(p, 'message', () => void (p.transport.bytesReceived = 0)),
    'never counts backwards',
  ],
  [
    'cuts the reason',
    (p) => {
      const close = p.transport.close.bind(p.transport);
      p.transport.close = (code, reason) => close(code, reason.slice(0, 100));
    },
    'closes with the code and the reason it is told',
  ],
  [
    'does not report that it closed',
    (p) => (p.reports.closed = nothing),
    'gives its place back when the peer says goodbye',
  ],
  [
    'does not report that it is gone',
    (p) => (p.reports.closed = nothing),
    'gives its place back when the peer is gone',
  ],
  ['does not report errors', (p) => (p.reports.errored = nothing), 'reports an error of its socket, and then its end'],
  [
    'reports errors after the end',
    ({ connection, reports }) =>
      (reports.errored = (error) => {
        connection.closed();
        connection.errored(error);
      }),
    'reports an error of its socket, and then its end',
  ],
  [
    'says goodbye when it is destroyed',
    (p) => before(p, 'terminate', () => p.transport.close(1000, '')),
    'is destroyed at once, without a close frame',
  ],
  [
    'is not destroyed once it closes',
    (p) => before(p, 'terminate', () => p.transport.closes.length > 0),
    'is destroyed while its peer does not read',
  ],
  [
    'counts pings to nobody as answered',
    (p) => before(p, 'ping', () => void (p.transport.bytesReceived += p.transport.isClosed ? 1 : 0)),
    'takes any call once it is gone, and at most throws',
  ],
];

function nothing(): void {
  // what it leaves out
}

/** Why the connection fails a case; `null` where it passes, `skipped` with the reason. */
async function verdict(name: string, spoil: (pretence: Pretence) => void): Promise<string | null> {
  const one = connectionContract.find((each) => each.name === name);
  if (one === undefined) return null;
  let skipped: string | null = null;
  try {
    await one.run(
      () => pretended(spoil),
      (reason) => (skipped = `skipped: ${reason}`),
    );
    return skipped;
  } catch (error) {
    return String(error);
  }
}

/** Anything that fails waits in vain for some seconds, so all of them wait together. */
const verdicts: (string | null)[] = [];
const rightVerdicts: (string | null)[] = [];

describe('the contract of connections', () => {
  beforeAll(async () => {
    const right = Promise.all(connectionContract.map(({ name }) => verdict(name, nothing)));
    verdicts.push(...(await Promise.all(wrong.map(([, spoil, name]) => verdict(name, spoil)))));
    rightVerdicts.push(...(await right));
  }, 60_000);

  it.each(wrong.map(([what, , name], i) => [what, name, i] as const))('finds that one %s: %s', (_, __, i) => {
    expect(verdicts[i]).toMatch(/^AssertionError|^Error: Waited \d+ ms in vain/);
  });

  it('has a wrong connection for each of its cases', () => {
    const found = new Set(wrong.map(([, , name]) => name));
    expect(connectionContract.map(({ name }) => name).filter((name) => !found.has(name))).toEqual([]);
  });

  it.each(connectionContract.map(({ name }, i) => [name, i] as const))('lets one pass that is right: %s', (_, i) => {
    expect(rightVerdicts[i]).toBeNull();
  });

  it('skips what the connection or the fixture cannot do, and says so', async () => {
    const partial = 'says how much has come of a message that is arriving';
    const whole = (p: Pretence) => Object.defineProperty(p.transport, 'partialMessageBytes', { value: undefined });
    expect(await verdict(partial, whole)).toMatch(/^skipped: .*arrive whole/);
    const skipped: string[] = [];
    const unpaused = async (): Promise<ConnectionFixture> => {
      const { connection, peer, send, dispose } = await pretended();
      return { connection, peer, send, dispose };
    };
    const one = connectionContract.find(({ name }) => name === 'says whether it is read');
    await one?.run(unpaused, (reason) => skipped.push(reason));
    expect(skipped).toEqual(['the fixture has no `pause` and `resume`']);
  });
});
