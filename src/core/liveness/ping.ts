import type { ManagedConnection, SentPing } from '../managers/managed-connection.js';
import type { Random } from '../time.js';
import { sample } from './silence.js';

/** How many pings without a pong are remembered: the first that nothing has answered, and the last ones. */
const remembered = 4;

/** How many payloads there are. Nobody guesses one of a billion. */
const payloads = 2 ** 30;

/** Sends pings with payloads that no peer can guess, so that only a real answer gives a round trip. */
export class Pinger {
  readonly #random: Random;
  #sent = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /**
   * Pings a connection, and remembers the ping with the number of bytes that had arrived.
   * @returns whether the socket took it, and did not throw. Never throws.
   */
  ping(connection: ManagedConnection): boolean {
    return connection.clock.contexts.outside(() => this.#send(connection));
  }

  /** As {@link ping}, for several connections. */
  pingAll(connections: readonly ManagedConnection[]): void {
    connections[0]?.clock.contexts.outside(() => {
      for (const connection of connections) this.#send(connection);
    });
  }

  /**
   * A payload for one ping, of ASCII characters: decimals, since V8 writes no other base as fast, and at most twelve
   * characters, since V8 keeps longer results as the pieces they were made of.
   */
  payload(): string {
    this.#sent = (this.#sent + 1) % payloads;
    return `m${String((Math.floor(this.#random() * payloads) + this.#sent) % payloads)}`;
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
    connection.pings = withPing(connection.pings, sent);
    return true;
  }
}

/**
 * If there are too many, drops the first if a byte has come since; else the second, as the first is still unanswered.
 *
 * A new list each time: to one that grows by `push`, V8 gives room for 16 more.
 */
function withPing(pings: readonly SentPing[] | null, sent: SentPing): readonly SentPing[] {
  if (pings === null) return [sent];
  if (pings.length < remembered) return pings.concat(sent);
  const dropped = pings[0]?.bytesThen === sent.bytesThen ? 1 : 0;
  return pings.toSpliced(dropped, 1).concat(sent);
}

/** When the first ping was sent after which no byte has come, as of the last sample; `null` if there is none. */
export function unansweredSinceMs(connection: ManagedConnection): number | null {
  const { pings, bytesReceivedSeen } = connection;
  return pings?.find(({ bytesThen }) => bytesThen === bytesReceivedSeen)?.atMs ?? null;
}
