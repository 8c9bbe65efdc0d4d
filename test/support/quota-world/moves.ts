import { partitionOf } from '../../../src/redis/partitions.js';
import type { StoredEntry } from '../redis-model/partition.js';
import { valuesOf } from '../../../src/redis/replies.js';
import type { Manager } from './host.js';
import type { WorldRedis } from './server.js';

/** Managers whose process is told by the log that their thread moved. */
export class Moves {
  readonly #server: WorldRedis;
  readonly #seen = new WeakSet<StoredEntry>();
  readonly #told = new Map<Manager, StoredEntry>();

  constructor(server: WorldRedis) {
    this.#server = server;
  }

  /** Those that are still there. */
  get told(): Iterable<Manager> {
    return this.#told.keys();
  }

  /** @param overtaken all that have to give way if they are told */
  look(overtaken: readonly Manager[]): void {
    for (const [manager, entry] of this.#told) {
      // An entry that is lost may not have been read.
      const isThere = overtaken.includes(manager) && this.#logOf(manager).includes(entry);
      if (!isThere) this.#told.delete(manager);
    }
    for (const manager of overtaken) {
      const entry = this.#logOf(manager).findLast((one) => !this.#seen.has(one) && this.#isAbout(manager, one));
      if (entry !== undefined) this.#told.set(manager, entry);
    }
    for (const { log } of this.#server.partitions) for (const entry of log) this.#seen.add(entry);
  }

  #logOf({ claim }: Manager): readonly StoredEntry[] {
    return this.#server.partitions[partitionOf(claim.userId)]?.log ?? [];
  }

  #isAbout({ claim, host }: Manager, { texts }: StoredEntry): boolean {
    const values = valuesOf(texts);
    const named = { t: 'moved', u: claim.userId, f: claim.threadId, p: this.#server.processIds.get(host.id) };
    return Object.entries(named).every(([name, value]) => values.get(name) === value);
  }
}
