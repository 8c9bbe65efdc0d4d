import type { Calls } from './calls.js';
import { epochOf, printClaim, type StoredClaim } from './claims.js';
import type { HeldClaim } from './held-claims.js';
import type { KeySpace } from './partitions.js';
import {
  decode,
  type AcquireReply,
  type AssertReply,
  type BeatReply,
  type CommitReply,
  type LeaveReply,
  type RegisterReply,
  type ReleaseReply,
  type VerifyReply,
} from './replies.js';
import type { ScriptName } from './scripts.js';

/** What the calls of one partition are made with. */
export interface CallOptions {
  readonly calls: Calls;
  readonly keys: KeySpace;
  readonly partition: number;
  readonly processId: string;
  readonly beatMs: number;
  readonly nodeTimeoutMs: number;
  /** When keys end that nobody renews. */
  readonly ttlMs: number;
  /** The totals at which the level of a user with this limit changes, with commas between them. */
  levelsOf(limit: number): string;
}

/** The calls of one partition, by script. Each is made in the name of one epoch of this process. @throws RedisError */
export class PartitionCalls {
  readonly #options: CallOptions;
  readonly #ownKeys: readonly string[];
  readonly #times: readonly string[];

  constructor(options: CallOptions) {
    this.#options = options;
    const { keys, partition, beatMs, nodeTimeoutMs, ttlMs } = options;
    this.#ownKeys = [keys.meta(partition), keys.epochs(partition), keys.log(partition)];
    this.#times = [beatMs, nodeTimeoutMs, ttlMs].map(String);
  }

  /** @param limit the setting maxManagersPerUser of this process */
  async register(rotation: number, limit: number): Promise<RegisterReply> {
    return decode.register(await this.#send('register', { rotation, values: [String(limit)] }));
  }

  /** @param cursor the id of the last entry of the log that was applied */
  async beat(rotations: readonly number[], cursor: string): Promise<BeatReply> {
    const rotation = rotations.at(-1) ?? 0;
    return decode.beat(await this.#send('beat', { rotation, values: [this.#epochs(rotations), cursor] }));
  }

  async leave(rotations: readonly number[]): Promise<LeaveReply> {
    const rotation = rotations.at(-1) ?? 0;
    return decode.leave(await this.#send('leave', { rotation, values: [this.#epochs(rotations)] }));
  }

  async acquire(claim: HeldClaim, rotation: number): Promise<AcquireReply> {
    return decode.acquire(
      await this.#sendFor('acquire', claim, { rotation, values: [String(claim.limit), this.#levels(claim)] }),
    );
  }

  async commit(claim: HeldClaim, rotation: number): Promise<CommitReply> {
    return decode.commit(
      await this.#sendFor('commit', claim, { rotation, values: [String(claim.limit), this.#levels(claim)] }),
    );
  }

  async release(claim: HeldClaim, rotation: number): Promise<ReleaseReply> {
    return decode.release(await this.#sendFor('release', claim, { rotation, values: [this.#levels(claim)] }));
  }

  async verify(claim: HeldClaim, rotation: number): Promise<VerifyReply> {
    return decode.verify(await this.#sendFor('verify', claim, { rotation }));
  }

  /** @param cursor as in {@link beat} */
  async assert(claims: readonly HeldClaim[], rotation: number, cursor: string): Promise<AssertReply> {
    const keys = claims.map(({ of }) => this.#options.keys.user(of.userId));
    const values = claims.flatMap((claim) => [claim.field, this.#print(claim, rotation), claim.isOpen ? '1' : '0']);
    return decode.assert(await this.#send('assert', { rotation, keys, values: [cursor, ...values] }));
  }

  #sendFor(name: ScriptName, claim: HeldClaim, { rotation, values = [] }: { rotation: number; values?: string[] }) {
    const keys = [this.#options.keys.user(claim.of.userId)];
    return this.#send(name, { rotation, keys, values: [claim.field, this.#print(claim, rotation), ...values] });
  }

  #send(name: ScriptName, { rotation, keys = [], values }: { rotation: number; keys?: string[]; values: string[] }) {
    const { calls, processId } = this.#options;
    const head = [epochOf({ processId, rotation }), ...this.#times];
    return calls.send({ name, keys: [...this.#ownKeys, ...keys], arguments: [...head, ...values] });
  }

  #print({ stampMs }: HeldClaim, rotation: number): string {
    return printClaim({ processId: this.#options.processId, rotation, stampMs, takeovers: 0 } satisfies StoredClaim);
  }

  #levels({ limit }: HeldClaim): string {
    return this.#options.levelsOf(limit);
  }

  #epochs(rotations: readonly number[]): string {
    const { processId } = this.#options;
    return rotations.map((rotation) => epochOf({ processId, rotation })).join(',');
  }
}
