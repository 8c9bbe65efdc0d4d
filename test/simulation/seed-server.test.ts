import { describe, expect, it } from 'vitest';
import { wellBehaved } from '../../src/simulation/traits.js';
import { seedRules, type SeedName } from '../../src/simulation/seed/rules.js';
import { SeedServer } from '../../src/simulation/seed/server.js';
import type { SimulatedClient } from '../../src/simulation/server.js';

const minuteMs = 60_000;

function serverOf(name: SeedName) {
  const server = new SeedServer({ seed: 1, rules: seedRules[name], maxManagersPerUser: 20 });
  const ends: string[] = [];
  const open = (thread: number): SimulatedClient =>
    server.connect(
      { userId: 'ada', threadId: `thread_${String(thread)}` },
      { traits: wellBehaved, onEnd: (_, reason) => ends.push(`${String(thread)} ${reason}`) },
    );
  const openAll = (count: number): SimulatedClient[] => Array.from({ length: count }, (_, i) => open(i + 1));
  const pass = (forMs: number): Promise<void> => server.runUntil(server.now() + forMs);
  return { server, ends, open, openAll, pass };
}

describe("the sketch's server", () => {
  it('closes live tabs of a user who opens the 13th and more', async () => {
    const { server, ends, openAll, pass } = serverOf('seed');
    openAll(15);
    await pass(1_000);
    expect(server.slotCount).toBe(13);
    expect(ends).toEqual(['1 cleaned up', '2 cleaned up']);
  });

  it('takes a peer that is gone for one that is there, until it is idle', async () => {
    const { server, open, pass } = serverOf('seed');
    server.vanish(open(1));
    await pass(9 * minuteMs);
    expect(server.slotCount).toBe(1);
    await pass(3 * minuteMs);
    expect(server.slotCount).toBe(0);
  });

  it("loses a thread's connection when its former one ends late", async () => {
    const { server, ends, open, pass } = serverOf('seed');
    const former = open(1);
    open(1);
    server.leave(former);
    await pass(1_000);
    expect(ends).toContain('1 cleaned up');
    expect(server.slotCount).toBe(0);
  });
});

describe('the server before it', () => {
  it('keeps what is closed until its next cleanup', async () => {
    const { server, open, pass } = serverOf('before');
    server.leave(open(1));
    await pass(1.9 * minuteMs);
    expect(server.slotCount).toBe(1);
    await pass(0.2 * minuteMs);
    expect(server.slotCount).toBe(0);
  });

  it('locks a user with 20 dead connections out', async () => {
    const { server, ends, open, openAll, pass } = serverOf('before');
    for (const client of openAll(20)) server.vanish(client);
    await pass(minuteMs);
    open(21);
    await pass(1_000);
    expect(ends).toEqual(['21 quota']);
  });
});
