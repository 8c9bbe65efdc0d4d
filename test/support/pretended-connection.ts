import { createMooring, type ManagedConnection } from '../../src/index.js';
import { FakeConnection, type ConnectionFixture } from '../../src/testing/index.js';

/** What a pretended adapter can get wrong. */
export interface Pretence {
  readonly transport: FakeConnection;
  readonly connection: ManagedConnection;
  /** How it reports; replace what it should report differently. */
  readonly reports: Pick<
    ManagedConnection,
    'received' | 'touched' | 'ponged' | 'sent' | 'overfull' | 'closed' | 'errored'
  >;
}

/** A connection whose peer is pretended. @param spoil makes it wrong, before anything has happened */
export async function pretended(spoil: (pretence: Pretence) => void = () => undefined): Promise<ConnectionFixture> {
  const maxUnsentBytes = 40 * 1024 * 1024;
  const mooring = createMooring({ env: {}, maxUnsentBytes });
  const transport = new FakeConnection();
  const { connection, refusal } = await mooring.connect(transport, { userId: 'ada', threadId: 'thread_1' });
  if (refusal !== null) throw refusal;
  // Bound before any case runs, as an adapter may well do.
  const reports = {
    received: connection.received.bind(connection),
    touched: connection.touched.bind(connection),
    ponged: connection.ponged.bind(connection),
    sent: connection.sent.bind(connection),
    overfull: connection.overfull.bind(connection),
    closed: connection.closed.bind(connection),
    errored: connection.errored.bind(connection),
  };
  transport.bind(reports);
  let isFrozen = false;
  const unread: string[] = [];
  const ping = transport.ping.bind(transport);
  transport.ping = (payload) => {
    if (isFrozen) unread.push(payload);
    ping(payload);
  };
  spoil({ transport, connection, reports });
  return {
    connection,
    peer: {
      send: (bytes) => transport.message(bytes),
      sendPart: (bytes) => transport.messagePart(bytes),
      ping: () => transport.keepalive(),
      keepalive: () => transport.keepalive(),
      breakProtocol: () => transport.fail(),
      freeze: () => {
        isFrozen = true;
        transport.fallSilent();
      },
      thaw: () => {
        isFrozen = false;
        transport.pongAfterMs = 0;
        transport.bytesSent += transport.unsentBytes;
        transport.unsentBytes = 0;
        for (const payload of unread.splice(0)) transport.pong(payload);
      },
      close: () => transport.vanish(),
      vanish: () => transport.vanish(),
      get ended() {
        if (!transport.isClosed) return null;
        return transport.closes[0] ?? { code: 1006, reason: '' };
      },
    },
    socket: transport,
    maxUnsentBytes,
    send: (bytes) => {
      if (transport.unsentBytes > maxUnsentBytes) reports.overfull();
      if (isFrozen) transport.sendStuck(bytes);
      else transport.send(bytes);
    },
    pause: () => {
      transport.isReadingPaused = true;
    },
    resume: () => {
      transport.isReadingPaused = false;
    },
    dispose: () => mooring.stop(),
  };
}
