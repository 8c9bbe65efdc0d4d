import { randomBytes } from 'node:crypto';
import type { LedgerAnswer, LedgerHost, LedgerStatus, QuotaClaim, QuotaLedger } from '../core/quota/quota-ledger.js';
import type { Random, Timer } from '../core/time.js';
import { ledgerStates } from '../core/vocabulary.js';
import { Calls } from './calls.js';
import { Member } from './member.js';
import { PartitionCalls } from './partition-calls.js';
import { keySpace, partitionCount, partitionOf, type KeySpace } from './partitions.js';
import { asksForNewConnection, type RedisError } from './redis-errors.js';
import type { ScriptClient } from './script-client.js';
import { Stamps } from './stamps.js';
import { Turns } from './turns.js';

/** Options of a ledger on Redis. */
export interface RedisLedgerOptions {
  /** How all its keys begin. Moorings with the same prefix share their quota. No braces. @default 'mooring' */
  readonly prefix?: string | undefined;
  /** When keys end that nobody renews, in milliseconds; at least two minutes. @default an hour */
  readonly ttlMs?: number | undefined;
}

/** Makes the client of a ledger. @param onReady to be called each time when its connection can be used */
export type MakeClient = (onReady: () => void) => ScriptClient;

/** How many batches Redis may be asked at once, so that newcomers do not wait for a rotation. */
const batchesAtOnce = 4;

/** After how many beats in a row that nothing answered the connection is left for a new one. */
const silentBeatsToReconnect = 2;

/** Counts a user's slots in all processes that share a Redis. */
export class RedisLedger implements QuotaLedger {
  readonly #makeClient: MakeClient;
  readonly #keys: KeySpace;
  readonly #ttlMs: number;
  #parts: Parts | null = null;

  /** @throws TypeError if an option is wrong */
  constructor(makeClient: MakeClient, { prefix, ttlMs = 3_600_000 }: RedisLedgerOptions = {}) {
    if (!Number.isFinite(ttlMs) || ttlMs < 120_000) throw new TypeError(`ttlMs: got ${ttlMs}, wanted at least 120000`);
    this.#makeClient = makeClient;
    this.#keys = keySpace(prefix);
    this.#ttlMs = ttlMs;
  }

  /** @throws TypeError if another Mooring uses it */
  attach(host: LedgerHost): void {
    if (this.#parts !== null) throw new TypeError('the ledger has a Mooring already: make one for each');
    this.#parts = new Parts(host, { makeClient: this.#makeClient, keys: this.#keys, ttlMs: this.#ttlMs });
  }

  acquire(claim: QuotaClaim, limit: number): LedgerAnswer | Promise<LedgerAnswer> {
    return this.#memberOf(claim).acquire(claim, limit);
  }

  release(claim: QuotaClaim): Promise<void> {
    return this.#memberOf(claim).release(claim);
  }

  opened(claim: QuotaClaim): void {
    this.#memberOf(claim).opened(claim);
  }

  renewed(claim: QuotaClaim): void {
    this.#memberOf(claim).renewed(claim);
  }

  async stop(): Promise<void> {
    await this.#parts?.stop();
  }

  #memberOf({ userId }: QuotaClaim): Member {
    const member = this.#parts?.members[partitionOf(userId)];
    if (member === undefined) throw new TypeError('the ledger has no Mooring yet: give it to createMooring');
    return member;
  }
}

interface PartsOptions {
  readonly makeClient: MakeClient;
  readonly keys: KeySpace;
  readonly ttlMs: number;
}

/** What a ledger has as soon as a Mooring uses it. */
class Parts {
  readonly members: readonly Member[];
  readonly #host: LedgerHost;
  readonly #client: ScriptClient;
  readonly #calls: Calls;
  #status: LedgerStatus = { state: 'suspended', reason: null };
  #timer: Timer | null = null;
  #silentBeats = 0;
  #isStopped = false;

  constructor(host: LedgerHost, { makeClient, keys, ttlMs }: PartsOptions) {
    this.#host = host;
    this.#client = makeClient(() => {
      void this.#beat();
    });
    const { clock, random, config } = host;
    this.#calls = new Calls(this.#client, clock);
    const [processId, stamps, turns] = [makeProcessId(random), new Stamps(clock), new Turns(batchesAtOnce)];
    const { nodeBeatMs: beatMs, nodeTimeoutMs, maxManagersPerUser: limit } = config;
    const levels = new Map<number, string>();
    const levelsOf = (ofLimit: number): string => {
      const known = levels.get(ofLimit) ?? host.levelsOf(ofLimit).join(',');
      levels.set(ofLimit, known);
      return known;
    };
    const shared = { clock, random, stamps, turns, processId, limit };
    this.members = Array.from({ length: partitionCount }, (_, partition) => {
      const calls = new PartitionCalls({
        calls: this.#calls,
        keys,
        partition,
        processId,
        beatMs,
        nodeTimeoutMs,
        ttlMs,
        levelsOf,
      });
      return new Member({
        ...shared,
        calls,
        superseded: (claim) => {
          host.superseded(claim);
        },
        totalChanged: (userId, total) => {
          host.totalChanged(userId, total);
        },
        limitDiffers: (theirs) => {
          host.limitDiffers(theirs);
        },
        healthChanged: () => {
          this.#healthChanged();
        },
      });
    });
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await Promise.all(this.members.map((member) => member.stop()));
    this.#calls.stop();
    await this.#client.close();
  }

  #schedule(): void {
    const { clock, config } = this.#host;
    this.#timer = clock.setTimer(() => {
      this.#schedule();
      void this.#beat();
    }, config.nodeBeatMs);
  }

  async #beat(): Promise<void> {
    if (this.#isStopped) return;
    const troubles = await Promise.all(this.members.map((member) => member.beat()));
    const errors = troubles.filter((trouble): trouble is RedisError => trouble !== null);
    this.#silentBeats = errors.length < troubles.length ? 0 : this.#silentBeats + 1;
    if (this.#silentBeats < silentBeatsToReconnect && !errors.some(asksForNewConnection)) return;
    this.#silentBeats = 0;
    this.#reconnect();
  }

  /** Not during a stop, which may have begun meanwhile. */
  #reconnect(): void {
    if (!this.#isStopped) this.#client.reconnect();
  }

  /** The ledger is as well as the worst of its partitions. */
  #healthChanged(): void {
    const healths = this.members.map(({ health }) => health);
    const worst = healths.reduce((one, other) =>
      ledgerStates.indexOf(other.state) > ledgerStates.indexOf(one.state) ? other : one,
    );
    const { state, error } = worst;
    const reason = error === null ? null : `${error.message}. ${error.advice}`;
    if (state === this.#status.state) return;
    this.#status = { state, reason };
    this.#host.stateChanged(this.#status);
  }
}

/** 8 characters that no other process has. */
function makeProcessId(random: Random): string {
  const bytes =
    random === Math.random ? randomBytes(8) : Uint8Array.from({ length: 8 }, () => Math.floor(random() * 256));
  return Array.from(bytes, (byte) => (byte % 36).toString(36)).join('');
}
