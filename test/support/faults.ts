import { afterAll } from 'vitest';
import { startCrowd, type CrowdClient } from './crowd.js';
import type { WsServer } from './ws-server.js';

/** What a fault did. */
export interface FaultRow {
  readonly scenario: string;
  /** What those it happened to saw; `null` where nobody is left who could say. */
  readonly peersSaw: string | null;
  /** What those who came after it saw; `null` where nobody came. */
  readonly newcomersSaw: string | null;
  /** From the beginning of the fault, or where somebody had to wait from then, until the place was free. */
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
  const cells = rows.map(({ scenario, peersSaw, newcomersSaw, freedMs, healthyClosed }) => [
    scenario,
    peersSaw ?? '-',
    newcomersSaw ?? '-',
    freedMs === null ? '-' : `${(freedMs / 1_000).toFixed(2)} s`,
    String(healthyClosed),
  ]);
  const table = [
    ['scenario', 'the peers saw', 'the newcomers saw', 'place free after', 'healthy closed'],
    ['-', '-', '-', '-:', '-:'],
    ...cells,
  ];
  process.stdout.write(`\n${table.map((row) => `| ${row.join(' | ')} |`).join('\n')}\n\n`);
});

/** How it has ended for them, as far as they have told, counted: `20 × 1006`, or what is said of those it has not. */
export function endsOf(clients: readonly CrowdClient[], whileOpen: 'nothing' | 'in'): string {
  const counts = new Map<string, number>();
  for (const { isOpen, ended } of clients) {
    const end = ended === null ? (isOpen ? whileOpen : 'no answer') : `${ended.code} ${ended.reason}`.trim();
    counts.set(end, (counts.get(end) ?? 0) + 1);
  }
  return [...counts].map(([end, count]) => `${count} × ${end}`).join(', ');
}

/** How many of them have told that it has ended. */
export function endedOf(clients: readonly CrowdClient[]): number {
  return clients.filter(({ ended }) => ended !== null).length;
}

/** Others on the same server whom nothing happens to; they talk, and must not notice anything. */
export async function bystanders(server: WsServer, count = 5): Promise<{ readonly closed: () => number }> {
  const crowd = await startCrowd();
  const clients: CrowdClient[] = await crowd.settleAll(server.urls('bystander', count), { chatterEveryMs: 1_000 });
  return { closed: () => endedOf(clients) };
}
