import { createClient } from 'redis';
import { afterThisTest } from './setup.js';

/** A client of Redis that the test uses itself. */
export type Operator = ReturnType<typeof makeOperator>;

/** Connects to a Redis. Without a connection its calls fail at once. It ends with the test. */
export async function operatorOf({ url }: { readonly url: string }): Promise<Operator> {
  const operator = makeOperator(url);
  operator.on('error', () => undefined);
  await operator.connect();
  afterThisTest(() => {
    operator.destroy();
  });
  return operator;
}

/** The slots of a user that Redis has. */
export async function slotsOf(operator: Operator, userId: string): Promise<number> {
  const [key] = await operator.keys(`mooring:{*}:u:${userId}`);
  return key === undefined ? 0 : operator.hLen(key);
}

/** User and thread of each slot whose process lives. Those of the dead stay until somebody asks for their user. */
export async function livingSlots(operator: Operator): Promise<Set<string>> {
  const alive = new Map<string, readonly string[]>();
  const slots = new Set<string>();
  for (const key of await operator.keys('mooring:{*}:u:*')) {
    const [partition = '', userId = ''] = key.split(':u:');
    const epochs = alive.get(partition) ?? (await operator.zRange(`${partition}:e`, 0, -1));
    alive.set(partition, epochs);
    for (const [field, value] of Object.entries(await operator.hGetAll(key))) {
      if (epochs.includes(value.slice(0, 10))) slots.add(`${userId} ${field}`);
    }
  }
  return slots;
}

function makeOperator(url: string) {
  return createClient({ url, disableOfflineQueue: true });
}
