import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManagerRegistry } from '../../src/core/managers/registry.js';
import type { WebSocketManager } from '../../src/core/managers/manager.js';

const ids = ['a', 'a:b', 'a%3Ab', 'A', '__proto__', 'constructor', '', ' '] as const;

/** All the registry asks of a manager. */
function managerOf(userId: string, threadId: string): WebSocketManager {
  return { context: { userId, threadId }, key: `${userId} ${threadId}` } as unknown as WebSocketManager;
}

/** As naive as can be: everything in one list. */
class Model {
  managers: WebSocketManager[] = [];
  /** Everyone who ever was. */
  readonly former: WebSocketManager[] = [];

  ofUser(userId: string): WebSocketManager[] {
    return this.managers.filter(({ context }) => context.userId === userId);
  }

  get({ userId, threadId }: { userId: string; threadId: string }): WebSocketManager | undefined {
    return this.ofUser(userId).find(({ context }) => context.threadId === threadId);
  }
}

type Command = fc.Command<Model, ManagerRegistry>;

class Add implements Command {
  constructor(readonly manager: WebSocketManager) {}
  check = (): boolean => true;

  run(model: Model, real: ManagerRegistry): void {
    if (model.get(this.manager.context) === undefined) {
      model.managers.push(this.manager);
      model.former.push(this.manager);
      expect(real.add(this.manager)).toBe(model.ofUser(this.manager.context.userId).length);
    } else expect(() => real.add(this.manager)).toThrow('already');
    compare(model, real);
  }

  toString = (): string => `add ${JSON.stringify(this.manager.context)}`;
}

/** One that is in, or one that was and is not, or never was. */
class Remove implements Command {
  constructor(readonly which: number) {}
  check = (): boolean => true;

  run(model: Model, real: ManagerRegistry): void {
    const manager = model.former[this.which % Math.max(1, model.former.length)] ?? managerOf('nobody', 'thread_');
    expect(real.remove(manager)).toBe(model.managers.includes(manager));
    model.managers = model.managers.filter((other) => other !== manager);
    compare(model, real);
  }

  toString = (): string => `remove ${String(this.which)}`;
}

function compare(model: Model, real: ManagerRegistry): void {
  expect(real.size).toBe(model.managers.length);
  expect(new Set(real.all())).toEqual(new Set(model.managers));
  const users = new Set(model.managers.map(({ context }) => context.userId));
  expect([new Set(real.users()), real.userCount]).toEqual([users, users.size]);
  for (const userId of ids) {
    const managers = model.ofUser(userId);
    expect([...real.ofUser(userId).values()]).toEqual(managers);
    expect(real.countOf(userId)).toBe(managers.length);
    for (const threadId of ids) expect(real.get({ userId, threadId })).toBe(model.get({ userId, threadId }));
  }
}

describe('the registry', () => {
  it('is as a list of managers is', () => {
    const id = fc.constantFrom(...ids);
    const commands = [
      fc.tuple(id, id).map(([userId, threadId]) => new Add(managerOf(userId, threadId))),
      fc.nat(60).map((which) => new Remove(which)),
    ];
    fc.assert(
      fc.property(fc.commands(commands, { maxCommands: 60 }), (given) => {
        fc.modelRun(() => ({ model: new Model(), real: new ManagerRegistry() }), given);
      }),
    );
  });
});
