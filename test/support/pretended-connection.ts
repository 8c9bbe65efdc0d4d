import { createMooring, type ManagedConnection } from '../../src/index.js';
import { FakeConnection, type ConnectionFixture } from '../../src/testing/index.js';

/** What a pretended adapter can get wrong. */
export interface Pretence {
  readonly connection: FakeConnection;
  readonly link: ManagedConnection;
  /** How it reports; replace what it should report differently. */
  readonly reports: Pick<ManagedConnection, 'received' | 'touched' | 'ponged' | 'sent' | 'closed' | 'errored'>;
}

/** A connection whose peer is pretended. @param spoil makes it wrong, before anything has happened */
export async function pretended(spoil: (pretence: Pretence) => void = () => undefined): Promise<ConnectionFixture> {
  const mooring = createMooring({ env: {} });
  const connection = new FakeConnection();
  const { link, refusal } = await mooring.connections.connect(connection, { userId: 'ada', threadId: 'thread_1' });
  if (refusal !== null) throw refusal;
  // Bound before any case runs, as an adapter may well do.
  const reports = {
    received: link.received.bind(link),
    touched: link.touched.bind(link),
    ponged: link.ponged.bind(link),
    sent: link.sent.bind(link),
    closed: link.closed.bind(link),
    errored: link.errored.bind(link),
  };
  connection.bind(reports);
  let isFrozen = false;
  const unread: string[] = [];
  const ping = connection.ping.bind(connection);
  connection.ping = (payload) => {
    if (isFrozen) unread.push(payload);
    ping(payload);
  };
  spoil({ connection, link, reports });
  return {
    link,
    peer: {
      send: (bytes) => connection.message(bytes),
      sendPart: (bytes) => connection.messagePart(bytes),
      ping: () => connection.keepalive(),
      keepalive: () => connection.keepalive(),
      breakProtocol: () => connection.fail(),
      freeze: () => {
        isFrozen = true;
        connection.fallSilent();
      },
      thaw: () => {
        isFrozen = false;
        connection.pongAfterMs = 0;
        connection.bytesSent += connection.unsentBytes;
        connection.unsentBytes = 0;
        for (const payload of unread.splice(0)) connection.pong(payload);
      },
      close: () => connection.vanish(),
      vanish: () => connection.vanish(),
      get ended() {
        if (!connection.isClosed) return null;
        return connection.closes[0] ?? { code: 1006, reason: '' };
      },
    },
    send: (bytes) => {
      if (isFrozen) connection.sendStuck(bytes);
      else connection.send(bytes);
    },
    pause: () => {
      connection.isReadingPaused = true;
    },
    resume: () => {
      connection.isReadingPaused = false;
    },
    dispose: () => mooring.stop(),
  };
}
