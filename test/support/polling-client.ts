import { setTimeout as sleep } from 'node:timers/promises';

/** A client of Engine.IO by polling that answers pings, and does nothing else by itself. */
export class PollingClient {
  /** Whether it asks for no data, and answers nothing. */
  isFrozen = false;
  hasEnded = false;
  /** How often it has asked for data. */
  polls = 0;
  readonly #url: Promise<string>;
  readonly #gone = new AbortController();

  constructor(server: string) {
    this.#url = this.#open(`${server}/socket.io/?EIO=4&transport=polling`);
    void this.#poll();
  }

  /** Sends packets. */
  async post(packets: string): Promise<void> {
    await this.#fetch({ method: 'POST', body: packets });
  }

  /** Its requests are broken off, and there are no more. */
  vanish(): void {
    this.#gone.abort();
  }

  async #open(base: string): Promise<string> {
    const opened = await (await fetch(base)).text();
    const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
    return `${base}&sid=${sid}`;
  }

  async #poll(): Promise<void> {
    while (!this.hasEnded) {
      if (this.isFrozen) await sleep(5);
      else await this.#ask();
      if (this.#gone.signal.aborted) this.hasEnded = true;
    }
  }

  async #ask(): Promise<void> {
    this.polls += 1;
    const packets = (await this.#fetch({}))?.split('\x1e') ?? ['1'];
    while (this.isFrozen) await sleep(5);
    const types = packets.map((packet) => packet.charAt(0));
    if (types.includes('2')) await this.post('3');
    if (types.includes('1')) this.hasEnded = true;
  }

  /** @returns the answer, or `undefined` if there is none, or an error */
  async #fetch(request: RequestInit): Promise<string | undefined> {
    try {
      const response = await fetch(await this.#url, { ...request, signal: this.#gone.signal });
      const text = await response.text();
      return response.ok ? text : undefined;
    } catch {
      return undefined;
    }
  }
}
