import type { ManagedConnection } from '../managers/managed-connection.js';
import type { Random } from '../time.js';

/** How many unanswered pings are remembered for the round trip: the first, and the last ones. */
const remembered = 4;

/** Sends pings whose payloads no peer can guess, so that only a real answer tells a round trip. */
export class Pinger {
  readonly #random: Random;
  #sent = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** @returns whether it was sent; a socket that throws has not taken it. Never throws. */
  ping(link: ManagedConnection): boolean {
    const payload = this.#payload();
    try {
      link.clock.contexts.outside(() => {
        link.connection.ping(payload);
      });
    } catch {
      return false;
    }
    const pings = (link.pings ??= []);
    if (pings.length >= remembered) pings.splice(1, 1);
    pings.push({ payload, atMs: link.manager.host.clock.now() });
    return true;
  }

  #payload(): string {
    this.#sent = (this.#sent + 1) % 0x40000000;
    return `m${this.#sent.toString(36)}.${Math.floor(this.#random() * 0x40000000).toString(36)}`;
  }
}
