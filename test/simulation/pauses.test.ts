import { describe, expect, it } from 'vitest';
import type { MooringEvent } from '../../src/core/events.js';
import { presets } from '../../src/core/presets.js';
import { PeerProcess } from '../../src/simulation/peer-process.js';
import { runScript, type Script, type Step } from '../../src/simulation/script.js';
import type { SimulatedClient } from '../../src/simulation/server.js';
import { wellBehaved } from '../../src/simulation/traits.js';
import { World } from '../../src/simulation/world.js';

/** What differs from a user of production, and between trials. */
interface CrowdOptions {
  readonly environment?: 'production' | 'staging';
  readonly seed?: number;
  /** How often each connection talks, from a moment of its own on; `null`: never. */
  readonly talkEveryMs: number | null;
}

/** A user with 20 connections in one process, which has answered before; it may talk. */
async function crowd({ environment = 'production', seed = 1, talkEveryMs }: CrowdOptions) {
  const world = new World({ seed, config: presets[environment] });
  const { chance } = world;
  const process = new PeerProcess(world.time, world.now);
  const releases: MooringEvent<'manager.released'>[] = [];
  world.mooring.on('manager.released', (event) => releases.push(event));
  const connect = (number: number, inProcess: PeerProcess | null): SimulatedClient =>
    world.connect(
      { userId: 'ada', threadId: `thread_${String(number)}` },
      {
        traits: { ...wellBehaved, roundTripMs: chance.integer(2, 100) },
        process: inProcess,
        onOpen: ({ socket }) => socket.message(1),
      },
    );
  const clients = Array.from({ length: 20 }, (_, number) => connect(number, process));
  for (const { socket } of clients)
    if (talkEveryMs !== null)
      world.time.recur(chance.integer(0, talkEveryMs), () => {
        if (socket.isOver) return null;
        socket.message(1);
        return talkEveryMs;
      });
  await world.runUntil(30_500); // nothing of theirs is on its way
  return { world, process, releases, clients, newcomer: (number: number) => connect(100 + number, null) };
}

describe('a process of 20 connections in use that pauses while a newcomer comes', () => {
  const trials = 100;
  const rhythms = [200, 1_000, 5_000, null];
  const cases = (['production', 'staging'] as const).flatMap((environment) =>
    rhythms.map((talkEveryMs) => [environment, talkEveryMs ?? 'nothing for 20 s', talkEveryMs] as const),
  );

  it.each(cases)('loses none in 0.5 to 2.8 s in %s, saying %s', async (environment, _, talkEveryMs) => {
    for (const [seed, forMs] of [500, 1_300, 2_000, 2_800].entries()) {
      const { world, process, releases, clients, newcomer } = await crowd({ environment, seed, talkEveryMs });
      const { time, chance } = world;
      let refused = 0;
      world.mooring.on('admission.refused', () => (refused += 1));
      for (let trial = 0; trial < trials; trial++) {
        if (talkEveryMs === null) {
          for (const { socket } of clients) socket.message(1);
          await world.runUntil(time.now() + 20_000);
        }
        await world.runUntil(time.now() + chance.integer(1_000, 3_500));
        // It comes at any moment from just before the pause on.
        time.schedule(chance.integer(0, 200), () => {
          process.pause(forMs);
        });
        time.schedule(chance.integer(0, 200 + forMs), () => newcomer(trial));
        await world.runUntil(time.now() + 200 + forMs + 2_000);
        expect(releases, `${String(forMs)} ms, trial ${String(trial)}`).toEqual([]);
        expect(refused).toBe(trial + 1);
      }
      expect(world.violation).toBeNull();
    }
  });

  it('loses one in 8 s, to the newcomer', async () => {
    const { world, process, releases, newcomer } = await crowd({ talkEveryMs: 1_000 });
    process.pause(8_000);
    newcomer(1);
    await world.runUntil(world.time.now() + 15_000);
    expect(releases.map(({ by, finding }) => [by, finding])).toEqual([['admission', 'silent']]);
    expect(world.violation).toBeNull();
  });

  it('loses none to a newcomer that answers nothing itself', async () => {
    const { world, process, releases, newcomer } = await crowd({ talkEveryMs: 1_000 });
    process.pause(8_000);
    newcomer(1).socket.fallSilent();
    await world.runUntil(world.time.now() + 15_000);
    expect(releases).toEqual([]);
    expect(world.violation).toBeNull();
  });
});

describe('what pausing processes have shown stays so', () => {
  const scriptOf = (config: Script['config'], steps: readonly Step[]): Script => ({
    seed: 1,
    config,
    hasLedger: false,
    steps: [...steps, { atMs: 200_000, do: 'background cleanup' }], // until then everybody is there
  });
  const connect = (atMs: number, client: number, roundTripMs: number): Step & { do: 'connect' } => ({
    atMs,
    do: 'connect',
    client,
    user: 'ada',
    thread: `thread_${String(client)}`,
    traits: { roundTripMs },
  });

  it('a suspect that answers while the probe goes on for another is left in peace', async () => {
    const script = scriptOf({ minSilenceMs: 1_000 }, [
      { ...connect(0, 1, 284), process: 1 },
      { ...connect(141_280, 6, 543), process: 1 },
      { atMs: 141_302, do: 'pause', client: 1, forMs: 3_500 },
      { atMs: 142_232, do: 'clean up', user: 'ada' },
    ]);
    expect(await runScript(script)).toBeNull();
  });

  it('a suspect stays one through heartbeats, whose earlier pings it had answered', async () => {
    const script = scriptOf({ maxManagersPerUser: 2 }, [
      connect(0, 1, 4),
      connect(0, 2, 8),
      { atMs: 10_000, do: 'sleep', client: 1 },
      { atMs: 10_000, do: 'sleep', client: 2 },
      connect(11_500, 3, 47),
      connect(40_000, 4, 15),
    ]);
    expect(await runScript(script)).toBeNull();
  });

  it('nobody makes room for a newcomer whose limit has become 0', async () => {
    const script = scriptOf({ maxManagersPerUser: 2 }, [
      connect(0, 1, 4),
      connect(4_000, 2, 6),
      { atMs: 4_200, do: 'vanish', client: 1 },
      connect(4_300, 3, 9),
      { atMs: 5_000, do: 'limit', user: 'ada', limit: 0 },
    ]);
    expect(await runScript(script)).toBeNull();
  });

  it('the place of an evicted connection goes to a newcomer that was heard of', async () => {
    const script = scriptOf({ maxManagersPerUser: 2 }, [
      connect(0, 1, 50),
      connect(0, 2, 50),
      connect(100_000, 3, 900),
      { atMs: 100_000, do: 'sleep', client: 3 },
      connect(100_010, 4, 9),
    ]);
    expect(await runScript(script)).toBeNull();
  });
});
