import { epochOf, printClaim, type StoredClaim } from '../../src/redis/claims.js';
import { keySpace, partitionOf } from '../../src/redis/partitions.js';
import { emptyPartition } from './redis-model/partition.js';
import { runScript } from './redis-model/run-script.js';
import {
  decode,
  valuesOf,
  type AcquireReply,
  type AssertReply,
  type BeatReply,
  type CommitReply,
  type ExchangeReply,
  type RegisterReply,
  type ReleaseReply,
  type Reply,
  type VerifyReply,
} from '../../src/redis/replies.js';
import type { ScriptName } from '../../src/redis/scripts.js';
import { parseSlot } from './redis-model/stored.js';

export const beatMs = 1_000;
export const nodeTimeoutMs = 5_000;
const ttlMs = 60_000;

interface Options {
  /** @default 2 */
  readonly limit?: number;
  /** @default '' */
  readonly levels?: string;
}

/** The model of a server, with the slots of one user. */
export class QuotaModel {
  readonly state = emptyPartition();
  nowMs = 1_800_000_000_000;
  runId = 'run1';
  readonly userId: string;

  constructor(userId = 'ada') {
    this.userId = userId;
  }

  /** Processes that have registered, with the ids `aaaaaaaa`, `bbbbbbbb` and so on. */
  processes(): [a: ModelProcess, b: ModelProcess, c: ModelProcess] {
    const [a, b, c] = [this.process('a'), this.process('b'), this.process('c')];
    a.beat(); // the clock begins with the first
    return [a, b, c];
  }

  process(letter: string): ModelProcess {
    const process = new ModelProcess(this, letter);
    process.register();
    return process;
  }

  call(name: ScriptName, keys: readonly string[], words: readonly string[]): Reply {
    return runScript(this.state, { name, keys, arguments: words, nowMs: this.nowMs, runId: this.runId });
  }

  /** Who has a thread: `a@1000`, `a@1000 > b@2000` with a successor, `a@1000+3` after 3 soon takeovers. */
  slot(field: string): string | undefined {
    const text = this.state.users.get(this.userId)?.get(field);
    const slot = parseSlot(text ?? '');
    if (slot === null) return text;
    return slot.pending === null ? named(slot.holder) : `${named(slot.holder)} > ${named(slot.pending)}`;
  }

  setSlot(field: string, text: string): void {
    const fields = this.state.users.get(this.userId) ?? new Map<string, string>();
    this.state.users.set(this.userId, fields.set(field, text));
  }

  /** What the log tells, without the processes that joined: `moved t a@1000`, `total 2`, `died aaaaaaaa00`. */
  told(): string[] {
    const entries = this.state.log.map(({ texts }) => valuesOf(texts));
    return entries.filter((values) => values.get('t') !== 'joined').map(lineOf);
  }
}

/** One process that uses the quota. */
export class ModelProcess {
  rotation = 0;
  readonly #model: QuotaModel;
  readonly #letter: string;
  readonly #keys: readonly string[];

  constructor(model: QuotaModel, letter: string) {
    this.#model = model;
    this.#letter = letter;
    const partition = partitionOf(model.userId);
    const space = keySpace();
    this.#keys = [space.meta(partition), space.epochs(partition), space.log(partition)];
  }

  get epoch(): string {
    return epochOf({ processId: this.#letter.repeat(8), rotation: this.rotation });
  }

  claim(stampMs: number, takeovers = 0): StoredClaim {
    return { processId: this.#letter.repeat(8), rotation: this.rotation, stampMs, takeovers };
  }

  register(): RegisterReply {
    return decode.register(this.#call('register', ['20']));
  }

  /** Beats each second, for as long; what the others do meanwhile is nothing. */
  beatFor(ms: number): void {
    for (let passed = 0; passed < ms; passed += beatMs) {
      this.#model.nowMs += Math.min(beatMs, ms - passed);
      this.beat();
    }
  }

  beat({ epochs = [this.epoch], cursor = '0-0' }: { epochs?: readonly string[]; cursor?: string } = {}): BeatReply {
    return decode.beat(this.#call('beat', [epochs.join(','), cursor]));
  }

  leave(...epochs: readonly string[]): number {
    return decode.leave(this.#call('leave', [epochs.join(',')])).removed;
  }

  acquire(field: string, stampMs: number, { limit = 2, levels = '' }: Options = {}): AcquireReply {
    return decode.acquire(this.#withClaim('acquire', [field, stampMs], [String(limit), levels]));
  }

  commit(field: string, stampMs: number, { limit = 2, levels = '' }: Options = {}): CommitReply {
    return decode.commit(this.#withClaim('commit', [field, stampMs], [String(limit), levels]));
  }

  /** Acquires and commits. */
  open(field: string, stampMs: number, options: Options = {}): void {
    this.acquire(field, stampMs, options);
    this.commit(field, stampMs, options);
  }

  release(field: string, stampMs: number, { levels = '' }: Options = {}): ReleaseReply {
    return decode.release(this.#withClaim('release', [field, stampMs], [levels]));
  }

  exchange(
    victim: readonly [field: string, claim: StoredClaim],
    newcomer: readonly [field: string, claim: StoredClaim],
  ): ExchangeReply {
    const words = [victim, newcomer].flatMap(([field, claim]) => [field, printClaim(claim)]);
    return decode.exchange(this.#call('exchange', words, this.#user));
  }

  /** One claim. */
  assert(field: string, stampMs: number, { isOpen = true, cursor = '0-0' } = {}): AssertReply {
    return decode.assert(
      this.#call('assert', [cursor, field, printClaim(this.claim(stampMs)), isOpen ? '1' : '0'], this.#user),
    );
  }

  verify(field: string, stampMs: number): VerifyReply['kind'] {
    return decode.verify(this.#withClaim('verify', [field, stampMs], [])).kind;
  }

  get #user(): readonly string[] {
    return [keySpace().user(this.#model.userId)];
  }

  #withClaim(name: ScriptName, [field, stampMs]: readonly [string, number], words: readonly string[]): Reply {
    return this.#call(name, [field, printClaim(this.claim(stampMs)), ...words], this.#user);
  }

  #call(name: ScriptName, words: readonly string[], keys: readonly string[] = []): Reply {
    const head = [this.epoch, String(beatMs), String(nodeTimeoutMs), String(ttlMs)];
    return this.#model.call(name, [...this.#keys, ...keys], [...head, ...words]);
  }
}

function named({ processId, stampMs, takeovers }: StoredClaim): string {
  return `${processId.charAt(0)}@${stampMs}${takeovers === 0 ? '' : `+${takeovers}`}`;
}

function lineOf(values: ReadonlyMap<string, string>): string {
  const name = values.get('t') ?? '';
  if (name === 'total') return `total ${values.get('n') ?? ''}`;
  if (name === 'died') return `died ${values.get('e') ?? ''}`;
  const [process = '', stamp = ''] = [values.get('p'), values.get('c')];
  return `${name} ${values.get('f') ?? ''} ${process.charAt(0)}@${parseInt(stamp, 36)}`;
}
