import { describe, expect, it } from 'vitest';
import { createUserExecutionContext } from '../../../src/core/identity/user-execution-context.js';
import { StallClock } from '../../../src/core/liveness/stall-clock.js';
import { WebSocketManager, type ManagerLifecycle } from '../../../src/core/managers/manager.js';
import { ManagerRegistry } from '../../../src/core/managers/registry.js';
import { SimulatedTime } from '../../../src/testing/index.js';

const host: ManagerLifecycle = {
  clock: new StallClock({ time: new SimulatedTime(), toleranceMs: 100 }),
  idleManagerTimeoutMs: 600_000,
  connectionClosing: () => {},
  connectionClosed: () => {},
  endConnection: () => {},
  connectionOverfull: () => {},
  managerFailed: () => {},
  errorReported: () => {},
  lateHookAdded: () => {},
  takeHold: () => {
    throw new Error('nobody holds it here');
  },
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

  it('notices that somebody it had just looked for in vain has come, gone, and come again', () => {
    const registry = new ManagerRegistry();
    const manager = managerOf('ada', 'thread_1');
    for (let round = 0; round < 2; round++) {
      expect(registry.countOf('ada')).toBe(0);
      expect(registry.add(manager)).toBe(1);
      expect(registry.countOf('ada')).toBe(1);
      expect(registry.remove(manager)).toBe(true);
    }
    expect(registry.ofUser('ada').size).toBe(0);
  });

  it("shows in a user's managers who comes and goes later, from the first on", () => {
    const [first, second] = [managerOf('ada', 'thread_1'), managerOf('ada', 'thread_2')];
    const registry = registryOf(first);
    const managers = registry.ofUser('ada');
    registry.add(second);
    expect([...managers.values()]).toEqual([first, second]);
    registry.remove(first);
    registry.remove(second);
    expect(managers.size).toBe(0);
    expect(registry.userCount).toBe(0);
  });

  it('names each user with one manager or more once, with all of them', () => {
    const managers = ['ada', 'bob', 'bob'].map((userId, index) => managerOf(userId, `thread_${String(index)}`));
    const registry = registryOf(...managers);
    const byUser = [...registry.byUser()].map(([userId, held]) => [userId, [...held.keys()]]);
    expect(byUser).toEqual([
      ['ada', ['thread_0']],
      ['bob', ['thread_1', 'thread_2']],
    ]);
    expect([...registry.all()]).toEqual(managers);
  });

  it('says how a user is spelled who has one manager or more, and of nobody else', () => {
    const registry = registryOf(managerOf('ada', 'thread_1'));
    expect(registry.storedUserId('ada')).toBe('ada');
    registry.add(managerOf('ada', 'thread_2'));
    expect(registry.storedUserId('ada')).toBe('ada');
    expect(registry.storedUserId('bob')).toBeUndefined();
  });

  it('refuses a second manager of a thread, whether the user has one or more', () => {
    const registry = registryOf(managerOf('ada', 'thread_1'));
    expect(() => registry.add(managerOf('ada', 'thread_1'))).toThrow(TypeError);
    registry.add(managerOf('ada', 'thread_2'));
    expect(() => registry.add(managerOf('ada', 'thread_2'))).toThrow(TypeError);
    expect(registry.countOf('ada')).toBe(2);
    expect(registry.size).toBe(2);
  });

  it('finds each user right, however lookups alternate', () => {
    const [ada, bob] = [managerOf('ada', 'thread_1'), managerOf('bob', 'thread_1')];
    const registry = registryOf(ada, bob);
    expect(registry.get({ userId: 'ada', threadId: 'thread_1' })).toBe(ada);
    expect(registry.get({ userId: 'bob', threadId: 'thread_1' })).toBe(bob);
    expect(registry.remove(ada)).toBe(true);
    expect(registry.countOf('bob')).toBe(1);
    expect(registry.countOf('ada')).toBe(0);
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
