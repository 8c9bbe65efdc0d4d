import type { ManagedConnection, SentPing } from '../managers/managed-connection.js';
import type { Random } from '../time.js';
import { sample } from './silence.js';

/** How many pings without a pong are remembered: the first that nothing has answered, and the last ones. */
const remembered = 4;

/** Sends pings whose payloads no peer can guess, so that only a real answer tells a round trip. */
export class Pinger {
  readonly #random: Random;
  #sent = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /**
   * Pings a connection, and remembers the ping with what had come by then.
   * @returns whether it was sent; a socket that throws has not taken it. Never throws.
   */
  ping(connection: ManagedConnection): boolean {
    return connection.clock.contexts.outside(() => this.#send(connection));
  }

  /** As {@link ping}, many at once. */
  pingAll(connections: readonly ManagedConnection[]): void {
    connections[0]?.clock.contexts.outside(() => {
      for (const connection of connections) this.#send(connection);
    });
  }

  /** A payload for a ping, of ASCII characters, used once. In decimals: V8 writes no other base as fast. */
  payload(): string {
    this.#sent = (this.#sent + 1) % 0x40000000;
    return `m${String(this.#sent)}.${String(Math.floor(this.#random() * 0x40000000))}`;
  }

  #send(connection: ManagedConnection): boolean {
    const payload = this.payload();
    sample(connection);
    try {
      connection.transport.ping(payload);
    } catch {
      return false;
    }
    const sent = { payload, atMs: connection.clock.now(), bytesThen: connection.bytesReceivedSeen };
    if (connection.pings === null) connection.pings = [sent];
    else remember(connection.pings, sent);
    return true;
  }
}

/** Where there are too many, the first one goes if a byte has come since; else the second, since the first still counts. */
function remember(pings: SentPing[], sent: SentPing): void {
  if (pings.length >= remembered) pings.splice(pings[0]?.bytesThen === sent.bytesThen ? 1 : 0, 1);
  pings.push(sent);
}

/**
 * When the first ping was sent since which no byte has come, as of the last sample of the connection's counters;
 * `null` if there is none.
 */
export function unansweredSinceMs(connection: ManagedConnection): number | null {
  const { pings, bytesReceivedSeen } = connection;
  return pings?.find(({ bytesThen }) => bytesThen === bytesReceivedSeen)?.atMs ?? null;
}
