import { expect, it } from 'vitest';
import { Person } from '../../src/simulation/person.js';
import { scenarios } from '../../src/simulation/population.js';
import { nextTurn } from '../../src/testing/next-turn.js';
import { ClusterWorld } from '../support/cluster-world.js';

const hourMs = 3_600_000;

/** `npm run proof -- day` plays a day of 10,000 users. */
const users = Number(process.env['MOORING_CLUSTER_USERS'] ?? '4000');
/** Low, so that many users reach it. */
const limit = 3;
const hours = Number(process.env['MOORING_CLUSTER_HOURS'] ?? '1');

it(
  `${hours} h of ${users} users on four processes, with two crashes and a failover an hour`,
  async () => {
    const startedAtMs = performance.now();
    const world = new ClusterWorld({ seed: 7, nodes: 4, config: { maxManagersPerUser: limit } });
    const { population } = scenarios.reference;
    for (let number = 0; number < users; number += 1) {
      new Person(world, { userId: `user-${number}`, population, isHostile: false }).liveFor(hours * hourMs);
    }
    const plan = (perHour: number, act: () => void): void => {
      for (let number = 1; number <= perHour * hours; number += 1) {
        const atMs = (number - 0.5) * (hourMs / perHour) + world.chance.integer(-300_000, 300_000);
        world.time.schedule(atMs, act);
      }
    };
    plan(2, () => world.crash());
    plan(1, () => world.failOver());
    for (let atMs = 0; atMs < hours * hourMs; atMs += 10_000) {
      await world.runUntil(atMs);
      await nextTurn();
    }
    const peak = world.slotCount;
    const left = await world.end();
    const seconds = Math.round((performance.now() - startedAtMs) / 1_000);
    console.log(
      JSON.stringify({ ...world.counts, atTheEnd: peak, left, seconds, scripts: Object.fromEntries(world.redis.done) }),
    );
    expect(world.counts.unexplained).toBe(0);
    expect(world.counts.refusedWithRoom).toBe(0);
    // A cleanup that goes on, and one after it.
    expect(world.counts.longestWaitMs).toBeLessThanOrEqual(2 * world.config.emergencyCleanupTimeoutMs + 1_000);
    // Otherwise the day would have shown nothing.
    expect(world.counts).toMatchObject({ crashes: 2 * hours, failovers: hours });
    expect(world.counts.refused['quota']).toBeGreaterThan(0);
    expect(left).toBe(0);
  },
  15 * 60_000,
);
