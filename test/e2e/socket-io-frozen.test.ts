import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { clientProcess } from '../support/socket-io-client.js';
import { joined, socketIoServer, ways } from '../support/socket-io-server.js';

/** How soon a newcomer is in: the specification's bound for this setting, and a second for the machine. */
const presets = [
  { environment: 'production', settledMs: 6_000, withinMs: 4_300 },
  { environment: 'development', settledMs: 2_000, withinMs: 2_700 },
  { environment: 'production', settledMs: 0, withinMs: 5_700 },
] as const;

describe.each(presets)('in $environment, $settledMs ms after connecting', ({ environment, settledMs, withinMs }) => {
  it.each(ways)('a frozen client by %s makes room for a newcomer, and a healthy one stays', async (way) => {
    const server = await socketIoServer({ environment, maxManagersPerUser: 2 });
    const frozen = await clientProcess(server, 'frozen', way);
    const healthy = await server.connected('ada', 'healthy', { way });
    await sleep(settledMs);
    frozen.freeze();
    const startedAt = performance.now();
    const newcomer = server.client('ada', 'new', { way });
    await joined(newcomer);
    const tookMs = performance.now() - startedAt;
    console.log(
      `${environment}, ${settledMs} ms after connecting, ${way}: the newcomer is in after ${tookMs.toFixed(0)} ms`,
    );
    expect(tookMs).toBeLessThan(withinMs);
    expect(healthy.connected).toBe(true);
    expect(server.mooring.getManager({ userId: 'ada', threadId: 'thread_frozen' })).toBeUndefined();
  });
});
