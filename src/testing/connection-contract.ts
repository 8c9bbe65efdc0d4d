import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ManagedConnection } from '../core/managers/managed-connection.js';
import { contractCase, until, type ContractCase, type Disposable } from './contract.js';

/** The client's end, as far as the contract needs it. */
export interface ContractPeer {
  /** Sends one application message with so many bytes of payload. */
  send(bytes: number): void;
  /** Sends what is no activity: a WebSocket ping. */
  ping(): void;
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
  readonly link: ManagedConnection;
  readonly peer: ContractPeer;
  /** The application sends one message with so many bytes of payload, in the adapter's way. */
  readonly send: (bytes: number) => void;
}

/** Makes a connection that is open and has carried nothing yet. */
export type OpenConnection = () => ConnectionFixture | Promise<ConnectionFixture>;

/** What fills the kernel's buffers, so that more must wait in the process. */
const floodBytes = 32 * 1024 * 1024;
const chunkBytes = 1024 * 1024;

/** The clock's steps, and then some. */
const aWhileMs = 40;

/**
 * What Mooring relies on in a `Connection` and in the adapter that reports on it.
 *
 * @example
 * for (const { name, run } of connectionContract) it(name, () => run(open));
 */
export const connectionContract: readonly ContractCase<OpenConnection>[] = [
  contractCase('is open, and its manager holds a place', ({ link }: ConnectionFixture) => {
    assert.equal(link.connection.isOpen, true);
    assert.equal(link.isCurrent, true);
    assert.equal(link.connection.unsentBytes, 0);
    assert.equal(link.connection.isReadingPaused, false);
  }),

  contractCase(
    'counts at least the payload of every message that arrives',
    async ({ link, peer }: ConnectionFixture) => {
      for (const bytes of [1, 1_000, 100_000]) {
        const before = link.connection.bytesReceived;
        peer.send(bytes);
        await until(`${String(bytes)} bytes are counted`, () => link.connection.bytesReceived >= before + bytes);
      }
    },
  ),

  contractCase(
    'counts at least the payload of every message that leaves',
    async ({ link, send }: ConnectionFixture) => {
      const before = link.connection.bytesSent;
      send(1_000);
      await until('1,000 bytes are counted', () => link.connection.bytesSent >= before + 1_000);
      assert.equal(link.connection.unsentBytes, 0);
    },
  ),

  contractCase('reports a message as activity', async ({ link, peer }: ConnectionFixture) => {
    const before = link.lastActivityAtMs;
    await until('messages are reported with received()', () => {
      peer.send(10); // again and again: an adapter may stamp it with a time that is a little old
      return link.lastActivityAtMs > before;
    });
  }),

  contractCase('reports a ping as a sign of life, and not as activity', async ({ link, peer }: ConnectionFixture) => {
    const { lastActivityAtMs, lastSeenAtMs } = link;
    await sleep(aWhileMs);
    peer.ping();
    await until('the ping is reported with touched()', () => link.lastSeenAtMs > lastSeenAtMs);
    assert.equal(link.lastActivityAtMs, lastActivityAtMs, 'a ping was reported with received()');
  }),

  contractCase('reports what the application sends', async ({ link, send }: ConnectionFixture) => {
    const before = link.lastActivityAtMs;
    await until('messages are reported with sent(false)', () => {
      send(10);
      return link.lastActivityAtMs > before;
    });
  }),

  contractCase('reports the pong of a ping, with its payload and its bytes', async ({ link }: ConnectionFixture) => {
    const { connection, lastSeenAtMs } = link;
    const before = connection.bytesReceived;
    const payload = 'p'.repeat(125);
    const heard: string[] = [];
    const ponged = link.ponged.bind(link);
    link.ponged = (answer) => {
      heard.push(answer);
      ponged(answer);
    };
    await sleep(aWhileMs);
    connection.ping(payload);
    await until('the pong is reported with ponged(payload)', () => heard.includes(payload));
    assert.ok(link.lastSeenAtMs > lastSeenAtMs);
    assert.ok(connection.bytesReceived > before, 'a pong has bytes too');
  }),

  contractCase('gets no answer from a peer that does not read', async ({ link, peer }: ConnectionFixture) => {
    peer.freeze();
    await sleep(aWhileMs);
    const before = link.connection.bytesReceived;
    link.connection.ping('anybody there?');
    await sleep(5 * aWhileMs);
    assert.equal(link.connection.bytesReceived, before);
    assert.equal(link.connection.isOpen, true, 'nobody can tell yet');
    peer.thaw();
    await until('the pong arrives after all', () => link.connection.bytesReceived > before);
  }),

  contractCase('says how much has not left, and that it has', async ({ link, peer, send }: ConnectionFixture) => {
    peer.freeze();
    for (let sent = 0; sent < floodBytes; sent += chunkBytes) send(chunkBytes);
    await until('something is stuck', () => link.connection.unsentBytes > 0);
    await sleep(aWhileMs);
    const { bytesSent, unsentBytes } = link.connection;
    assert.ok(unsentBytes > 0 && bytesSent < floodBytes, 'what is stuck is not counted as sent');
    peer.thaw();
    await until('nothing is stuck any longer', () => link.connection.unsentBytes === 0);
    assert.ok(link.connection.bytesSent >= floodBytes);
  }),

  contractCase('never counts backwards', async ({ link, peer, send }: ConnectionFixture) => {
    const { connection } = link;
    let [received, sent] = [0, 0];
    for (let i = 0; i < 20; i++) {
      peer.send(i * 100);
      send(i * 100);
      await sleep(1);
      assert.ok(connection.bytesReceived >= received && connection.bytesSent >= sent);
      received = connection.bytesReceived;
      sent = connection.bytesSent;
    }
  }),

  contractCase('closes with the code and the reason it is told', async ({ link, peer }: ConnectionFixture) => {
    const reason = `${'q'.repeat(100)};retry=30;max=20`;
    link.connection.close(4408, reason);
    assert.equal(link.connection.isOpen, false);
    await until('the peer knows', () => peer.ended !== null);
    assert.deepEqual({ ...peer.ended }, { code: 4408, reason });
  }),

  contractCase('gives its place back when the peer says goodbye', async ({ link, peer }: ConnectionFixture) => {
    peer.close();
    await until('it is reported with closed()', () => link.manager.isReleased);
    assert.equal(link.connection.isOpen, false);
  }),

  contractCase('gives its place back when the peer is gone', async ({ link, peer }: ConnectionFixture) => {
    peer.vanish();
    await until('it is reported with closed()', () => link.manager.isReleased);
    assert.equal(link.connection.isOpen, false);
  }),

  contractCase('is destroyed at once, without a close frame', async ({ link, peer }: ConnectionFixture) => {
    link.connection.terminate();
    assert.equal(link.connection.isOpen, false);
    await until('it is reported with closed()', () => link.manager.isReleased);
    await until('the peer knows', () => peer.ended !== null);
    assert.equal(peer.ended?.code, 1006);
  }),

  contractCase('is destroyed while its peer does not read', async ({ link, peer }: ConnectionFixture) => {
    peer.freeze();
    await sleep(aWhileMs);
    link.connection.close(1013, 'silent');
    link.connection.terminate();
    await until('it is reported with closed()', () => link.manager.isReleased);
  }),

  contractCase('takes any call once it is gone, and at most throws', async ({ link, peer }: ConnectionFixture) => {
    const { connection } = link;
    connection.terminate();
    await until('it is reported with closed()', () => link.manager.isReleased);
    const { bytesReceived } = connection;
    for (const call of [
      () => {
        connection.terminate();
      },
      () => {
        connection.close(1000, '');
      },
      () => {
        connection.ping('x');
      },
    ])
      quietly(call);
    await until('the peer knows', () => peer.ended !== null);
    await sleep(aWhileMs);
    assert.equal(connection.isOpen, false);
    assert.equal(connection.bytesReceived, bytesReceived);
  }),
];

function quietly(call: () => void): void {
  try {
    call();
  } catch {
    // allowed
  }
}
