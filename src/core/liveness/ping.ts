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
  ping(link: ManagedConnection): boolean {
    return link.clock.contexts.outside(() => this.#send(link));
  }

  /** As {@link ping}, many at once. */
  pingAll(links: readonly ManagedConnection[]): void {
    links[0]?.clock.contexts.outside(() => {
      for (const link of links) this.#send(link);
    });
  }

  /** A payload for a ping, of ASCII characters, used once. In decimals: V8 writes no other base as fast. */
  payload(): string {
    this.#sent = (this.#sent + 1) % 0x40000000;
    return `m${String(this.#sent)}.${String(Math.floor(this.#random() * 0x40000000))}`;
  }

  #send(link: ManagedConnection): boolean {
    const payload = this.payload();
    sample(link);
    try {
      link.connection.ping(payload);
    } catch {
      return false;
    }
    const sent = { payload, atMs: link.clock.now(), bytesThen: link.bytesReceivedSeen };
    if (link.pings === null) link.pings = [sent];
    else remember(link.pings, sent);
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
 * `null` where there is none.
 */
export function unansweredSinceMs(link: ManagedConnection): number | null {
  const { pings, bytesReceivedSeen } = link;
  return pings?.find(({ bytesThen }) => bytesThen === bytesReceivedSeen)?.atMs ?? null;
}
