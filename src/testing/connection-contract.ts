import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AttachedConnection } from '../core/managers/manager.js';
import { never } from '../core/time.js';
import type { ConnectionFixture, Incapability, OpenConnection } from './connection-fixture.js';
import { contractCase, until, type ContractCase, type Skip } from './contract.js';

/** More than the kernel's buffers take, so that some of it must wait in the process. */
const floodBytes = 32 * 1024 * 1024;

/** Small enough that data moves all the time, compressed or not, until it is stuck. */
const chunkBytes = 64 * 1024;

/** If nothing leaves for this long, data is stuck, and not just being compressed. */
const stuckMs = 200;

/** More than a control frame may have, and more than arrives in one piece. */
const partBytes = 100_000;

/** The longest payload of a ping. */
const longestPing = 125;

/** Longer than the steps in which the clock is read. */
const aWhileMs = 40;

const connectionCase = contractCase<ConnectionFixture>;

/**
 * What Mooring needs of a `Connection`, and of the adapter that reports what happens to it.
 *
 * @example
 * for (const { name, run } of connectionContract) it(name, ({ skip }) => run(open, skip));
 */
export const connectionContract: readonly ContractCase<OpenConnection>[] = [
  connectionCase('is open, and its manager holds a place', ({ connection }) => {
    assert.equal(connection.transport.isOpen, true);
    assert.equal(connection.isCurrent, true);
    assert.equal(connection.transport.unsentBytes, 0);
    assert.equal(connection.transport.isReadingPaused, false);
  }),

  connectionCase('gives the application its socket', ({ connection, socket }, skip) => {
    if (socket === undefined) skip('the fixture has no `socket`');
    else assert.equal(connection.manager.socket(), socket);
  }),

  connectionCase('counts at least the payload of every message that arrives', async (fixture) => {
    const { connection, peer } = fixture;
    for (const bytes of [1, 1_000, 100_000]) {
      const counted = isUnable(fixture, 'byte counters') ? 1 : bytes;
      const before = connection.transport.bytesReceived;
      peer.send(bytes);
      await until(`${String(counted)} bytes are counted`, () => connection.transport.bytesReceived >= before + counted);
    }
  }),

  connectionCase('counts at least the payload of every message that leaves', async (fixture) => {
    const { connection, send } = fixture;
    const counted = isUnable(fixture, 'byte counters') ? 1 : 1_000;
    const before = connection.transport.bytesSent;
    send(1_000);
    await until(`${String(counted)} bytes are counted`, () => connection.transport.bytesSent >= before + counted);
    assert.equal(connection.transport.unsentBytes, 0);
  }),

  connectionCase('reports a message as activity', async ({ connection, peer }) => {
    const before = connection.lastActivityAtMs;
    await until('messages are reported with received()', () => {
      peer.send(10); // again and again: an adapter may stamp it with a time that is a little old
      return connection.lastActivityAtMs > before;
    });
  }),

  connectionCase('reports a ping as a sign of life, and not as activity', async (fixture, skip) => {
    if (isUnable(fixture, 'client pings', skip)) return;
    const { connection, peer } = fixture;
    const { lastActivityAtMs, lastSeenAtMs } = connection;
    await sleep(aWhileMs);
    peer.ping();
    await until('the ping is reported with touched()', () => connection.lastSeenAtMs > lastSeenAtMs);
    assert.equal(connection.lastActivityAtMs, lastActivityAtMs, 'a ping was reported with received()');
  }),

  connectionCase('reports what the application sends', async ({ connection, send }) => {
    const before = connection.lastActivityAtMs;
    await until('messages are reported with sent(false)', () => {
      send(10);
      return connection.lastActivityAtMs > before;
    });
    assert.equal(connection.backloggedAtMs, never, 'sent(true), though nothing is stuck');
  }),

  connectionCase('reports a keepalive as a sign of life, and not as activity', async (fixture) => {
    const { connection, peer } = fixture;
    const { lastActivityAtMs, lastSeenAtMs } = connection;
    await sleep(aWhileMs);
    peer.keepalive();
    await until('the keepalive is reported with touched()', () => connection.lastSeenAtMs > lastSeenAtMs);
    assert.equal(connection.lastActivityAtMs, lastActivityAtMs, 'a keepalive was reported with received()');
  }),

  connectionCase('reports the pong of a ping, with its payload and its bytes', async ({ connection }) => {
    const { transport, lastSeenAtMs, lastActivityAtMs } = connection;
    const before = transport.bytesReceived;
    const payload = 'p'.repeat(longestPing);
    await sleep(aWhileMs);
    connection.pings = [{ payload, atMs: connection.clock.now(), bytesThen: before }]; // as if Mooring had asked
    transport.ping(payload);
    await until('the pong is reported with ponged(payload)', () => connection.lastSeenAtMs > lastSeenAtMs);
    assert.equal(connection.pings, null, 'the payload was another than that of the ping');
    assert.equal(connection.lastActivityAtMs, lastActivityAtMs, 'a pong was reported with received()');
    assert.ok(transport.bytesReceived > before, 'a pong has bytes too');
  }),

  connectionCase('does not count the pings of Mooring as sent', async ({ connection }) => {
    const { transport } = connection;
    const { bytesSent, bytesReceived } = transport;
    for (let i = 0; i < 10; i++) transport.ping(`${String(i)}${'p'.repeat(longestPing - 1)}`);
    await until('a pong arrives', () => transport.bytesReceived > bytesReceived);
    await sleep(aWhileMs);
    assert.equal(transport.bytesSent, bytesSent);
  }),

  connectionCase('gets no answer from a peer that does not read', async ({ connection, peer }) => {
    peer.freeze();
    await sleep(aWhileMs);
    const before = connection.transport.bytesReceived;
    connection.transport.ping('anybody there?');
    await sleep(5 * aWhileMs);
    assert.equal(connection.transport.bytesReceived, before);
    assert.equal(connection.transport.isOpen, true, 'nobody can tell yet');
    peer.thaw();
    await until('the pong arrives after all', () => connection.transport.bytesReceived > before);
  }),

  connectionCase('says how much has not left, and that it has', async (fixture, skip) => {
    if (isUnable(fixture, 'unsent bytes', skip)) return;
    const { connection, peer } = fixture;
    await getStuck(fixture);
    const { bytesSent, unsentBytes } = connection.transport;
    assert.ok(unsentBytes > 0 && bytesSent < floodBytes, 'what is stuck is not counted as sent');
    peer.thaw();
    await until('nothing is stuck any longer', () => connection.transport.unsentBytes === 0);
    assert.ok(connection.transport.bytesSent >= floodBytes);
  }),

  connectionCase('says of a message that it is stuck', async (fixture, skip) => {
    if (isUnable(fixture, 'unsent bytes', skip)) return;
    await getStuck(fixture);
    let isTold = await tellsOfBacklog(fixture);
    // What is compressed first is not stuck yet when it is handed over.
    for (let attempt = 1; !isTold && attempt < 20; attempt++) {
      await sleep(aWhileMs);
      isTold = await tellsOfBacklog(fixture);
    }
    assert.ok(isTold, 'sent(false), though data is stuck');
  }),

  connectionCase('closes a client for which more waits than may', async (fixture, skip) => {
    const { connection, maxUnsentBytes, send } = fixture;
    if (maxUnsentBytes === undefined) {
      skip('the fixture has no `maxUnsentBytes`');
      return;
    }
    await getStuck(fixture);
    for (let sent = 0; sent < maxUnsentBytes && !connection.manager.isReleased; sent += chunkBytes) send(chunkBytes);
    await until('overfull() is called', () => connection.manager.isReleased);
    assert.notEqual(connection.manager.releasedFor, 'closed', 'it was closed by somebody else');
  }),

  connectionCase('counts no pings as sent while data is stuck, nor backwards', async (fixture, skip) => {
    if (isUnable(fixture, 'unsent bytes', skip)) return;
    const { transport } = fixture.connection;
    await getStuck(fixture);
    const { bytesSent } = transport;
    transport.ping('p'.repeat(longestPing));
    assert.equal(transport.bytesSent, bytesSent);
    await sleep(aWhileMs);
    assert.equal(transport.bytesSent, bytesSent);
    fixture.peer.thaw();
    await until('nothing is stuck any longer', () => transport.unsentBytes === 0);
  }),

  connectionCase('says whether it is read', async (fixture, skip) => {
    const { connection, peer, pause, resume } = fixture;
    if (pause === undefined || resume === undefined) {
      skip('the fixture has no `pause` and `resume`');
      return;
    }
    pause();
    assert.equal(connection.transport.isReadingPaused, true);
    resume();
    assert.equal(connection.transport.isReadingPaused, false);
    const before = connection.transport.bytesReceived;
    peer.send(10);
    await until('it reads again', () => connection.transport.bytesReceived > before);
  }),

  connectionCase('says how much has come of a message that is arriving', async (fixture, skip) => {
    const { connection, peer } = fixture;
    if (isUnable(fixture, 'partial messages', skip)) return;
    if (connection.transport.partialMessageBytes === undefined) {
      skip('the connection has no `partialMessageBytes`: its messages arrive whole');
      return;
    }
    const part = (): number => connection.transport.partialMessageBytes ?? 0;
    for (let bytes = 0; bytes < 3 * partBytes; bytes += partBytes) {
      assert.ok(part() >= bytes);
      peer.sendPart(partBytes);
      await until(`${String(bytes + partBytes)} bytes of a message are there`, () => part() >= bytes + partBytes);
    }
    peer.send(1);
    await until('the message is whole', () => part() === 0);
  }),

  connectionCase('has nothing of a message between messages', async ({ connection, peer }) => {
    const { transport } = connection;
    const before = transport.bytesReceived;
    const assertNone = (after: string): void => {
      assert.equal(transport.partialMessageBytes ?? 0, 0, `after ${after}`);
    };
    assertNone('opening');
    peer.send(1_000);
    await until('a message arrives', () => transport.bytesReceived >= before + 1_000);
    await sleep(aWhileMs);
    assertNone('a message');
    for (let i = 0; i < 5; i++) peer.ping();
    for (let i = 0; i < 5; i++) transport.ping('p'.repeat(longestPing));
    await sleep(aWhileMs);
    assertNone('pings and pongs');
  }),

  connectionCase('never counts backwards', async ({ connection, peer, send }) => {
    const { transport } = connection;
    let received = 0;
    let sent = 0;
    for (let bytes = 2_000; bytes >= 0; bytes -= 100) {
      peer.send(bytes);
      send(bytes);
      await sleep(1);
      assert.ok(transport.bytesReceived >= received && transport.bytesSent >= sent);
      received = transport.bytesReceived;
      sent = transport.bytesSent;
    }
  }),

  connectionCase('closes with the code and the reason it is told', async (fixture) => {
    const { connection, peer } = fixture;
    const reason = `${'q'.repeat(100)};retry=30;max=20`;
    connection.transport.close(4408, reason);
    assert.equal(connection.transport.isOpen, false);
    await until('the peer knows', () => peer.ended !== null);
    if (!isUnable(fixture, 'close codes')) assert.deepEqual({ ...peer.ended }, { code: 4408, reason });
  }),

  connectionCase('gives its place back when the peer says goodbye', async ({ connection, peer }) => {
    peer.close();
    await untilClosed(connection);
    assert.equal(connection.transport.isOpen, false);
  }),

  connectionCase('gives its place back when the peer is gone', async ({ connection, peer }) => {
    peer.vanish();
    await untilClosed(connection);
    assert.equal(connection.transport.isOpen, false);
  }),

  connectionCase('reports an error of its socket, and then its end', async ({ connection, peer }) => {
    peer.breakProtocol();
    await untilClosed(connection);
    assert.notEqual(connection.manager.lastError, undefined, 'errored() was not called, or only after closed()');
  }),

  connectionCase('is destroyed at once, without a close frame', async (fixture) => {
    const { connection, peer } = fixture;
    connection.transport.terminate();
    assert.equal(connection.transport.isOpen, false);
    await untilClosed(connection);
    await until('the peer knows', () => peer.ended !== null);
    if (!isUnable(fixture, 'close codes')) assert.equal(peer.ended?.code, 1006);
  }),

  connectionCase('is destroyed while its peer does not read', async ({ connection, peer }) => {
    peer.freeze();
    await sleep(aWhileMs);
    connection.transport.close(1013, 'silent');
    connection.transport.terminate();
    await untilClosed(connection);
  }),

  connectionCase('takes any call once it is gone, and at most throws', async ({ connection, peer }) => {
    const { transport } = connection;
    transport.terminate();
    await untilClosed(connection);
    const { bytesReceived } = transport;
    for (const call of [() => transport.terminate(), () => transport.close(1000, ''), () => transport.ping('x')])
      quietly(call);
    await until('the peer knows', () => peer.ended !== null);
    await sleep(aWhileMs);
    assert.equal(transport.isOpen, false);
    assert.equal(transport.bytesReceived, bytesReceived);
  }),
];

/** Whether the fixture cannot do this; then the case is skipped, if `skip` is given. */
function isUnable({ cannot = [] }: ConnectionFixture, what: Incapability, skip?: Skip): boolean {
  const isSo = cannot.includes(what);
  if (isSo) skip?.(`the fixture cannot do this: ${what}`);
  return isSo;
}

/** The peer does not read, and the application sends until nothing leaves any longer. */
async function getStuck(fixture: ConnectionFixture): Promise<void> {
  const { transport } = fixture.connection;
  const { peer, send } = fixture;
  peer.freeze();
  for (let sent = 0; sent < floodBytes; sent += chunkBytes) send(chunkBytes);
  if (isUnable(fixture, 'unsent bytes')) return;
  let lastBytesSent = transport.bytesSent;
  let stillSinceMs = performance.now();
  await until('something is stuck', () => {
    const { unsentBytes, bytesSent } = transport;
    if (unsentBytes === 0 || bytesSent !== lastBytesSent) stillSinceMs = performance.now();
    lastBytesSent = bytesSent;
    return performance.now() - stillSinceMs >= stuckMs;
  });
}

/** Sends a message. @returns whether it was reported with `sent(true)` */
async function tellsOfBacklog({ connection, send }: ConnectionFixture): Promise<boolean> {
  connection.backloggedAtMs = never; // as if nothing had been reported before
  connection.lastSendAtMs = never;
  send(10);
  await until('the message is reported with sent()', () => connection.lastSendAtMs !== never);
  return connection.backloggedAtMs !== never;
}

/** The heartbeat would notice too, but seconds later. */
async function untilClosed({ manager }: AttachedConnection): Promise<void> {
  await until('it is reported with closed()', () => manager.isReleased);
  assert.equal(manager.releasedFor, 'closed', 'it was not reported with closed()');
}

function quietly(call: () => void): void {
  try {
    call();
  } catch {
    // allowed
  }
}
