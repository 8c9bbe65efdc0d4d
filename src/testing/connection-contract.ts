import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AttachedConnection } from '../core/managers/manager.js';
import { never } from '../core/time.js';
import { contractCase, until, type ContractCase, type Disposable } from './contract.js';

/** The client's end, as far as the contract needs it. */
export interface ContractPeer {
  /** Sends one application message with so many bytes of payload. */
  send(bytes: number): void;
  /** Sends so many bytes of a message, and not its end; what `send` sends then ends it. */
  sendPart(bytes: number): void;
  /** Sends what is no activity: a WebSocket ping. */
  ping(): void;
  /** Sends what is no activity either: an application's keepalive that Mooring recognises, such as `{"type":"ping"}`. */
  keepalive(): void;
  /** Sends what no peer may, such as a frame without a mask. */
  breakProtocol(): void;
  /** Stops reading, and so answering, without closing: as a suspended process does. */
  freeze(): void;
  /** Reads and answers again. */
  thaw(): void;
  /** Says goodbye. */
  close(): void;
  /** Is gone without a close frame, noticeably: its socket is reset or ended. */
  vanish(): void;
  /** How the connection ended for it; `null` while it has not. 1006 without a close frame. */
  readonly ended: { readonly code: number; readonly reason: string } | null;
}

/** A connection an adapter has made, admitted, and reports on. */
export interface ConnectionFixture extends Disposable {
  /** As the ticket or `connect` gave it. Its `connection` is what is tested. */
  readonly connection: AttachedConnection;
  readonly peer: ContractPeer;
  /** The application sends one message with so many bytes of payload, in the adapter's way. */
  readonly send: (bytes: number) => void;
  /** The application stops reading, in the adapter's way; absent where it cannot. */
  readonly pause?: () => void;
  /** The application reads again. */
  readonly resume?: () => void;
}

/** Makes a connection that is open and has carried nothing yet. */
export type OpenConnection = () => ConnectionFixture | Promise<ConnectionFixture>;

/** What fills the kernel's buffers, so that more must wait in the process. */
const floodBytes = 32 * 1024 * 1024;

/** Little enough that something moves all the time, compressed or not, until it is stuck. */
const chunkBytes = 64 * 1024;

/** Nothing leaves for so long when it is stuck, and not just being compressed. */
const stuckMs = 200;

/** More than can be taken for a control frame, and than arrives in one piece. */
const partBytes = 100_000;

/** The longest payload of a ping. */
const longestPing = 125;

/** The clock's steps, and then some. */
const aWhileMs = 40;

/**
 * What Mooring relies on in a `Connection` and in the adapter that reports on it.
 *
 * @example
 * for (const { name, run } of connectionContract) it(name, ({ skip }) => run(open, skip));
 */
export const connectionContract: readonly ContractCase<OpenConnection>[] = [
  contractCase('is open, and its manager holds a place', ({ connection }: ConnectionFixture) => {
    assert.equal(connection.transport.isOpen, true);
    assert.equal(connection.isCurrent, true);
    assert.equal(connection.transport.unsentBytes, 0);
    assert.equal(connection.transport.isReadingPaused, false);
  }),

  contractCase(
    'counts at least the payload of every message that arrives',
    async ({ connection, peer }: ConnectionFixture) => {
      for (const bytes of [1, 1_000, 100_000]) {
        const before = connection.transport.bytesReceived;
        peer.send(bytes);
        await until(`${String(bytes)} bytes are counted`, () => connection.transport.bytesReceived >= before + bytes);
      }
    },
  ),

  contractCase(
    'counts at least the payload of every message that leaves',
    async ({ connection, send }: ConnectionFixture) => {
      const before = connection.transport.bytesSent;
      send(1_000);
      await until('1,000 bytes are counted', () => connection.transport.bytesSent >= before + 1_000);
      assert.equal(connection.transport.unsentBytes, 0);
    },
  ),

  contractCase('reports a message as activity', async ({ connection, peer }: ConnectionFixture) => {
    const before = connection.lastActivityAtMs;
    await until('messages are reported with received()', () => {
      peer.send(10); // again and again: an adapter may stamp it with a time that is a little old
      return connection.lastActivityAtMs > before;
    });
  }),

  contractCase(
    'reports a ping as a sign of life, and not as activity',
    async ({ connection, peer }: ConnectionFixture) => {
      const { lastActivityAtMs, lastSeenAtMs } = connection;
      await sleep(aWhileMs);
      peer.ping();
      await until('the ping is reported with touched()', () => connection.lastSeenAtMs > lastSeenAtMs);
      assert.equal(connection.lastActivityAtMs, lastActivityAtMs, 'a ping was reported with received()');
    },
  ),

  contractCase('reports what the application sends', async ({ connection, send }: ConnectionFixture) => {
    const before = connection.lastActivityAtMs;
    await until('messages are reported with sent(false)', () => {
      send(10);
      return connection.lastActivityAtMs > before;
    });
    assert.equal(connection.backloggedAtMs, never, 'sent(true), though nothing is stuck');
  }),

  contractCase('reports a keepalive as a sign of life, and not as activity', async (fixture: ConnectionFixture) => {
    const { connection, peer } = fixture;
    const { lastActivityAtMs, lastSeenAtMs } = connection;
    await sleep(aWhileMs);
    peer.keepalive();
    await until('the keepalive is reported with touched()', () => connection.lastSeenAtMs > lastSeenAtMs);
    assert.equal(connection.lastActivityAtMs, lastActivityAtMs, 'a keepalive was reported with received()');
  }),

  contractCase(
    'reports the pong of a ping, with its payload and its bytes',
    async ({ connection }: ConnectionFixture) => {
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
    },
  ),

  contractCase('does not count the pings of Mooring as sent', async ({ connection }: ConnectionFixture) => {
    const { transport } = connection;
    const { bytesSent, bytesReceived } = transport;
    for (let i = 0; i < 10; i++) transport.ping(`${String(i)}${'p'.repeat(longestPing - 1)}`);
    await until('a pong arrives', () => transport.bytesReceived > bytesReceived);
    await sleep(aWhileMs);
    assert.equal(transport.bytesSent, bytesSent);
  }),

  contractCase('gets no answer from a peer that does not read', async ({ connection, peer }: ConnectionFixture) => {
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

  contractCase('says how much has not left, and that it has', async (fixture: ConnectionFixture) => {
    const { connection, peer } = fixture;
    await getStuck(fixture);
    const { bytesSent, unsentBytes } = connection.transport;
    assert.ok(unsentBytes > 0 && bytesSent < floodBytes, 'what is stuck is not counted as sent');
    peer.thaw();
    await until('nothing is stuck any longer', () => connection.transport.unsentBytes === 0);
    assert.ok(connection.transport.bytesSent >= floodBytes);
  }),

  contractCase('says of a message that it is stuck', async (fixture: ConnectionFixture) => {
    await getStuck(fixture);
    let isTold = await tellsOfBacklog(fixture);
    // What is compressed first is not stuck yet when it is handed over.
    for (let attempt = 1; !isTold && attempt < 20; attempt++) {
      await sleep(aWhileMs);
      isTold = await tellsOfBacklog(fixture);
    }
    assert.ok(isTold, 'sent(false), though data is stuck');
  }),

  contractCase('counts no pings as sent while data is stuck, nor backwards', async (fixture: ConnectionFixture) => {
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

  contractCase('says whether it is read', async (fixture: ConnectionFixture, skip) => {
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

  contractCase('says how much has come of a message that is arriving', async (fixture: ConnectionFixture, skip) => {
    const { connection, peer } = fixture;
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

  contractCase('has nothing of a message between messages', async ({ connection, peer }: ConnectionFixture) => {
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

  contractCase('never counts backwards', async ({ connection, peer, send }: ConnectionFixture) => {
    const { transport } = connection;
    let [received, sent] = [0, 0];
    for (let bytes = 2_000; bytes >= 0; bytes -= 100) {
      peer.send(bytes);
      send(bytes);
      await sleep(1);
      assert.ok(transport.bytesReceived >= received && transport.bytesSent >= sent);
      received = transport.bytesReceived;
      sent = transport.bytesSent;
    }
  }),

  contractCase('closes with the code and the reason it is told', async ({ connection, peer }: ConnectionFixture) => {
    const reason = `${'q'.repeat(100)};retry=30;max=20`;
    connection.transport.close(4408, reason);
    assert.equal(connection.transport.isOpen, false);
    await until('the peer knows', () => peer.ended !== null);
    assert.deepEqual({ ...peer.ended }, { code: 4408, reason });
  }),

  contractCase('gives its place back when the peer says goodbye', async ({ connection, peer }: ConnectionFixture) => {
    peer.close();
    await untilClosed(connection);
    assert.equal(connection.transport.isOpen, false);
  }),

  contractCase('gives its place back when the peer is gone', async ({ connection, peer }: ConnectionFixture) => {
    peer.vanish();
    await untilClosed(connection);
    assert.equal(connection.transport.isOpen, false);
  }),

  contractCase('reports an error of its socket, and then its end', async ({ connection, peer }: ConnectionFixture) => {
    peer.breakProtocol();
    await untilClosed(connection);
    assert.notEqual(connection.manager.lastError, undefined, 'errored() was not called, or only after closed()');
  }),

  contractCase('is destroyed at once, without a close frame', async ({ connection, peer }: ConnectionFixture) => {
    connection.transport.terminate();
    assert.equal(connection.transport.isOpen, false);
    await untilClosed(connection);
    await until('the peer knows', () => peer.ended !== null);
    assert.equal(peer.ended?.code, 1006);
  }),

  contractCase('is destroyed while its peer does not read', async ({ connection, peer }: ConnectionFixture) => {
    peer.freeze();
    await sleep(aWhileMs);
    connection.transport.close(1013, 'silent');
    connection.transport.terminate();
    await untilClosed(connection);
  }),

  contractCase(
    'takes any call once it is gone, and at most throws',
    async ({ connection, peer }: ConnectionFixture) => {
      const { transport } = connection;
      transport.terminate();
      await untilClosed(connection);
      const { bytesReceived } = transport;
      for (const call of [
        () => {
          transport.terminate();
        },
        () => {
          transport.close(1000, '');
        },
        () => {
          transport.ping('x');
        },
      ])
        quietly(call);
      await until('the peer knows', () => peer.ended !== null);
      await sleep(aWhileMs);
      assert.equal(transport.isOpen, false);
      assert.equal(transport.bytesReceived, bytesReceived);
    },
  ),
];

/** The peer does not read, and the application sends until nothing moves any longer. */
async function getStuck({ connection: { transport }, peer, send }: ConnectionFixture): Promise<void> {
  peer.freeze();
  for (let sent = 0; sent < floodBytes; sent += chunkBytes) send(chunkBytes);
  let [lastBytesSent, stillSinceMs] = [transport.bytesSent, performance.now()];
  await until('something is stuck', () => {
    const { unsentBytes, bytesSent } = transport;
    if (unsentBytes === 0 || bytesSent !== lastBytesSent) stillSinceMs = performance.now();
    lastBytesSent = bytesSent;
    return performance.now() - stillSinceMs >= stuckMs;
  });
}

/** Sends a message. @returns whether it was reported with `sent(true)` */
async function tellsOfBacklog({ connection, send }: ConnectionFixture): Promise<boolean> {
  connection.backloggedAtMs = never; // as if nothing had been known of it
  connection.lastSendAtMs = never;
  send(10);
  await until('the message is reported with sent()', () => connection.lastSendAtMs !== never);
  return connection.backloggedAtMs !== never;
}

/** A heartbeat would find out too, but seconds later. */
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
