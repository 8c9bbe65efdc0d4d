/** How many parts the keys have. Fixed: two processes with other numbers would count the same user apart. */
export const partitionCount = 16;

/** The names of the keys in Redis. Those of one partition are on one node of a cluster. */
export interface KeySpace {
  /** A hash: clock, when it was stored, version. */
  meta(partition: number): string;
  /** A sorted set: epochs, by the clock at their last beat. */
  epochs(partition: number): string;
  /** A stream of hints. */
  log(partition: number): string;
  /** A hash: the slots of a user, by thread. */
  user(userId: string): string;
}

/**
 * @param prefix the beginning of all keys @default 'mooring'
 * @throws TypeError if the prefix is empty or has a brace: the first pair of braces in a key says on which node of a
 * cluster it is
 */
export function keySpace(prefix = 'mooring'): KeySpace {
  if (prefix === '') throw new TypeError('prefix: got an empty text, wanted at least one character');
  if (/[{}]/.test(prefix)) throw new TypeError(`prefix: got "${prefix}", wanted a text without braces`);
  const key = (partition: number, name: string): string => `${prefix}:{${partition}}:${name}`;
  return {
    meta: (partition) => key(partition, 'm'),
    epochs: (partition) => key(partition, 'e'),
    log: (partition) => key(partition, 'log'),
    user: (userId) => key(partitionOf(userId), `u:${userId}`),
  };
}

/** The partition of a user, from 0 to 15; the same in all versions. */
export function partitionOf(userId: string): number {
  const hash = fnv1a(Buffer.from(userId));
  return (hash ^ (hash >>> 16)) & (partitionCount - 1);
}

/** FNV-1a, 32 bits. */
function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
