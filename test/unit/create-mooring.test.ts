import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { createMooring } from '../../src/create-mooring.js';
import { connectionsNames, factoryNames } from '../../src/core/seed-names.js';

describe('createMooring with a former name of a setting', () => {
  it('takes it, and says the present name once in this process', async () => {
    const warned = once(process, 'warning');
    expect(createMooring({ env: {}, config: { stalledMs: 5_000 } }).config.slowConsumerTimeoutMs).toBe(5_000);
    expect(await warned).toMatchObject([
      {
        name: 'DeprecationWarning',
        code: 'MOORING_RENAMED',
        message: 'Mooring: stalledMs is called slowConsumerTimeoutMs now; the old name goes on working',
      },
    ]);
    const again: unknown[] = [];
    const note = (warning: unknown): void => void again.push(warning);
    process.on('warning', note);
    createMooring({ env: {}, config: { stalledMs: 5_000 } });
    await turn();
    process.off('warning', note);
    expect(again).toEqual([]);
  });
});

/** The messages of all warnings while `act` runs. */
async function warningsOf(act: () => void): Promise<string[]> {
  const messages: string[] = [];
  const note = ({ message }: Error): void => void messages.push(message);
  process.on('warning', note);
  act();
  await turn();
  process.off('warning', note);
  return messages;
}

describe('createMooring', () => {
  it('takes settings beside its other options', async () => {
    const told = await warningsOf(() => {
      const { config } = createMooring({ env: { MOORING_MAX_MANAGERS_PER_USER: '7' }, maxManagersPerUser: 5 });
      expect(config.maxManagersPerUser).toBe(5);
    });
    expect(told).toEqual([]);
  });

  it('takes them as config too; what stands beside it wins', () => {
    const config = { maxManagersPerUser: 4, ticketMs: 7_000 };
    expect(createMooring({ env: {}, config, maxManagersPerUser: 5 }).config).toMatchObject({
      maxManagersPerUser: 5,
      ticketMs: 7_000,
    });
  });

  it('names what is no setting and no option', () => {
    const mistaken = { env: {}, maxManagerPerUser: 5 };
    expect(() => createMooring(mistaken)).toThrow(
      'maxManagerPerUser: there is no such setting; did you mean maxManagersPerUser?',
    );
  });
});

describe('an old name', () => {
  /** As in a process of its own, in which nothing was told yet. */
  const createsFirst = async (): Promise<typeof createMooring> => {
    vi.resetModules();
    return (await import('../../src/create-mooring.js')).createMooring;
  };

  it('config is told once in this process', async () => {
    const createFirst = await createsFirst();
    const made = () => createFirst({ env: {}, config: { maxManagersPerUser: 5 } }).config.maxManagersPerUser;
    const told = await warningsOf(() => {
      expect([made(), made()]).toEqual([5, 5]);
    });
    expect(told).toEqual([
      'Mooring: the option config of createMooring is not needed: settings stand beside the other options now, as in { maxManagersPerUser: 5 }; the old form goes on working',
    ]);
  });

  const names = [
    ...Object.entries(factoryNames).map(([old, now]) => ['factory', old, now] as const),
    ...Object.entries(connectionsNames).map(([old, now]) => ['connections', old, now] as const),
  ];

  it.each(names)('mooring.%s.%s works, and is told once in this process', async (group, old, now) => {
    const createFirst = await createsFirst();
    const read = () => {
      const mooring = createFirst({ env: {} });
      const aliases: Readonly<Record<string, unknown>> = mooring[group];
      expect(typeof aliases[old]).toBe(typeof mooring[now]);
      if (typeof mooring[now] !== 'function') expect(aliases[old]).toBe(mooring[now]);
      expect(aliases[old]).toBe(aliases[old]);
    };
    const told = await warningsOf(() => {
      read();
      read();
    });
    expect(told).toEqual([
      `Mooring: mooring.${group}.${old} is called mooring.${now} now; the old name goes on working`,
    ]);
  });

  it('does what the new one does', async () => {
    const mooring = createMooring({ env: {} });
    const context = { userId: 'ada', threadId: 'thread_1' };
    const manager = await mooring.factory.createManager(context);
    expect(mooring.factory.getManager(context)).toBe(manager);
    expect(mooring.factory.managerCount).toBe(1);
    expect(mooring.factory.cleanupManager(manager.key)).toBe(true);
    expect(mooring.factory.managerCount).toBe(0);
    await mooring.stop();
  });
});
