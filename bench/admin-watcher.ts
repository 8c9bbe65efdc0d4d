import { seeded } from './support/numbers.js';
import { serveCalls } from './support/worker.js';

/** What a watcher has received. */
export interface Watched {
  readonly polls: number;
  readonly events: number;
}

export interface WatcherCalls {
  /** Watches until `rest` is called. Resolves once the stream is open. */
  watch(adminUrl: string): Promise<void>;
  rest(): Promise<Watched>;
}

/** What dashboards request, and how often in milliseconds: the overview, and in a second tab the table of users. */
const polled: Readonly<Record<string, number>> = {
  'api/v1/overview': 3_000,
  'api/v1/users?sort=usage&limit=50': 5_000,
  'api/v1/kpis': 10_000,
  healthz: 5_000,
};

const random = seeded(1);

let ending = new AbortController();
let reading: Promise<void> = Promise.resolve();
let polls = 0;
let events = 0;

serveCalls<WatcherCalls>({
  async watch(adminUrl) {
    ending = new AbortController();
    polls = 0;
    events = 0;
    const { signal } = ending;
    for (const [path, everyMs] of Object.entries(polled)) poll(new URL(path, adminUrl), everyMs, signal);
    const { body } = await fetch(new URL('api/v1/events', adminUrl), { signal });
    if (body === null) throw new Error('the stream has no body');
    reading = read(body);
  },
  async rest() {
    ending.abort();
    await reading;
    return { polls, events };
  },
});

/** The first poll comes at a random time within the interval, so that short watches poll as often as long ones. */
function poll(url: URL, everyMs: number, signal: AbortSignal): void {
  const ask = async (): Promise<void> => {
    try {
      const response = await fetch(url, { signal });
      await response.text();
      if (response.status !== 200) throw new Error(`${url.pathname}: ${response.status}`);
      polls += 1;
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    later(everyMs);
  };
  const later = (inMs: number): void => {
    const timer = setTimeout(() => void ask(), inMs);
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
    if (signal.aborted) clearTimeout(timer);
  };
  later(random() * everyMs);
}

async function read(body: ReadableStream<Uint8Array>): Promise<void> {
  try {
    for await (const chunk of body) events += Buffer.from(chunk).toString('latin1').split('\nevent: ').length - 1;
  } catch (error) {
    if (!ending.signal.aborted) throw error;
  }
}
