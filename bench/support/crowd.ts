import { WebSocket } from 'ws';
import { serveCalls } from './worker.js';

/** Connections to open. */
export interface CrowdOrder {
  readonly port: number;
  readonly users: number;
  readonly perUser: number;
  /** The names of the threads, without their numbers. */
  readonly threads: string;
}

export interface CrowdReport {
  /** How long each took from the call to the open socket. */
  readonly openedMs: readonly number[];
  readonly refused: number;
}

/** A process full of clients. */
export interface CrowdCalls {
  gather(order: CrowdOrder): Promise<CrowdReport>;
}

serveCalls<CrowdCalls>({ gather });

async function gather({ port, users, perUser, threads }: CrowdOrder): Promise<CrowdReport> {
  const openedMs: number[] = [];
  let refused = 0;
  const openings = Array.from({ length: users * perUser }, async (_, index) => {
    const thread = `thread_${threads}_${Math.floor(index / users)}`;
    const took = await open(`ws://127.0.0.1:${port}/?user_id=user-${index % users}&thread_id=${thread}`);
    if (took === null) refused += 1;
    else openedMs.push(took);
  });
  await Promise.all(openings);
  return { openedMs, refused };
}

/** @returns how long it took, or `null` if it was closed at once */
function open(url: string): Promise<number | null> {
  const startedAt = performance.now();
  const socket = new WebSocket(url, { perMessageDeflate: false });
  return new Promise((resolve) => {
    let tookMs: number | null = null;
    socket.on('open', () => {
      tookMs = performance.now() - startedAt;
      // A refused client is accepted and closed at once. If it is still open after that, it is admitted.
      setTimeout(() => {
        resolve(tookMs);
      }, 200);
    });
    socket.on('close', () => {
      resolve(null);
    });
    socket.on('error', () => {
      resolve(null);
    });
  });
}
