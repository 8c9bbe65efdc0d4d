import { afterAll } from 'vitest';
import { startCrowd, type CrowdClient } from './crowd.js';
import type { WsServer } from './ws-server.js';

/** What a fault did. */
export interface FaultRow {
  readonly scenario: string;
  /** What the peer, or whoever came after it, saw. */
  readonly peerSaw: string;
  /** From the fault, or where somebody had to wait from then, until the place was free. */
  readonly freedMs: number | null;
  /** Connections that were healthy, and closed all the same. */
  readonly healthyClosed: number;
}

/** Rows of this file's tests, printed when they are done. */
const rows: FaultRow[] = [];

export function recordFault(row: FaultRow): void {
  rows.push(row);
}

afterAll(() => {
  if (rows.length === 0) return;
  const cells = rows.map(({ scenario, peerSaw, freedMs, healthyClosed }) => [
    scenario,
    peerSaw,
    freedMs === null ? '-' : `${(freedMs / 1_000).toFixed(2)} s`,
    String(healthyClosed),
  ]);
  const table = [
    ['scenario', 'what the peer saw', 'place free after', 'healthy closed'],
    ['-', '-', '-:', '-:'],
    ...cells,
  ];
  process.stdout.write(`\n${table.map((row) => `| ${row.join(' | ')} |`).join('\n')}\n\n`);
});

/** Others on the same server whom nothing happens to; they talk, and must not notice anything. */
export async function bystanders(server: WsServer, count = 5): Promise<{ readonly closed: () => number }> {
  const crowd = await startCrowd();
  const clients: CrowdClient[] = await crowd.settleAll(server.urls('bystander', count), { chatterEveryMs: 1_000 });
  return { closed: () => clients.filter(({ ended }) => ended !== null).length };
}
