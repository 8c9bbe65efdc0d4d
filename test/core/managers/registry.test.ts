import { describe, expect, it } from 'vitest';
import { createUserExecutionContext } from '../../../src/core/identity/user-execution-context.js';
import { StallClock } from '../../../src/core/liveness/stall-clock.js';
import { WebSocketManager, type ManagerHost } from '../../../src/core/managers/manager.js';
import { ManagerRegistry } from '../../../src/core/managers/registry.js';
import { SimulatedTime } from '../../../src/testing/index.js';

const host: ManagerHost = {
  clock: new StallClock({ time: new SimulatedTime(), toleranceMs: 100 }),
  idleManagerTimeoutMs: 600_000,
  connectionClosing: () => {},
  connectionClosed: () => {},
  endConnection: () => {},
  managerFailed: () => {},
  managerReported: () => {},
  hookCameLate: () => {},
};

function managerOf(userId: string, threadId: string): WebSocketManager {
  const context = createUserExecutionContext({ userId, threadId });
  return new WebSocketManager(host, context);
}

function registryOf(...managers: WebSocketManager[]): ManagerRegistry {
  const registry = new ManagerRegistry();
  for (const manager of managers) registry.add(manager);
  return registry;
}

describe('the registry', () => {
  it('finds a manager by user and thread', () => {
    const manager = managerOf('ada', 'thread_1');
    const registry = registryOf(manager);
    expect(registry.get({ userId: 'ada', threadId: 'thread_1' })).toBe(manager);
    expect([...registry.ofUser('ada').values()]).toEqual([manager]);
    expect([...registry.all()]).toEqual([manager]);
  });

  it('knows nothing of those who have none', () => {
    const registry = new ManagerRegistry();
    expect(registry.get({ userId: 'ada', threadId: 'thread_1' })).toBeUndefined();
    expect(registry.ofUser('ada').size).toBe(0);
    expect(registry.countOf('ada')).toBe(0);
    expect(registry.size).toBe(0);
  });

  it("keeps a user's managers in the order they came", () => {
    const managers = ['thread_c', 'thread_a', 'thread_b'].map((threadId) => managerOf('ada', threadId));
    expect([
      ...registryOf(...managers)
        .ofUser('ada')
        .values(),
    ]).toEqual(managers);
  });

  it('counts each user apart, however alike the ids', () => {
    const registry = registryOf(
      managerOf('a', 'thread_1'),
      managerOf('a:b', 'thread_1'),
      managerOf('a:b', 'thread_2'),
      managerOf('a%3Ab', 'thread_1'),
      managerOf('a:thread_b', 'thread_1'),
    );
    expect(['a', 'a:b', 'a%3Ab', 'a:thread_b'].map((userId) => registry.countOf(userId))).toEqual([1, 2, 1, 1]);
    expect([...registry.users()]).toHaveLength(4);
  });

  it('takes no second manager of a key', () => {
    const registry = registryOf(managerOf('ada', 'thread_1'));
    expect(() => {
      registry.add(managerOf('ada', 'thread_1'));
    }).toThrow(TypeError);
    expect(registry.countOf('ada')).toBe(1);
  });

  it('removes a manager once', () => {
    const manager = managerOf('ada', 'thread_1');
    const registry = registryOf(manager);
    expect(registry.remove(manager)).toBe(true);
    expect(registry.remove(manager)).toBe(false);
    expect(registry.size).toBe(0);
  });

  it('ComfyUI#16010: does not remove another manager of the same key', () => {
    const former = managerOf('ada', 'thread_1');
    const current = managerOf('ada', 'thread_1');
    const registry = registryOf(former);
    registry.remove(former);
    registry.add(current);
    expect(registry.remove(former)).toBe(false);
    expect(registry.get({ userId: 'ada', threadId: 'thread_1' })).toBe(current);
    expect(registry.countOf('ada')).toBe(1);
  });

  it('forgets a user with the last manager', () => {
    const managers = [managerOf('ada', 'thread_1'), managerOf('ada', 'thread_2')];
    const registry = registryOf(...managers);
    for (const manager of managers) registry.remove(manager);
    expect([...registry.users()]).toEqual([]);
  });

  it('has all managers of all users, each once', () => {
    const managers = Array.from({ length: 100 }, (_, i) => managerOf(`user${i % 7}`, `thread_${i}`));
    const registry = registryOf(...managers);
    for (const manager of managers.filter((_, i) => i % 3 === 0)) registry.remove(manager);
    const byUser = [...registry.users()].flatMap((userId) => [...registry.ofUser(userId).values()]);
    expect(new Set(byUser)).toEqual(new Set(registry.all()));
    expect(registry.size).toBe(byUser.length);
  });
});
