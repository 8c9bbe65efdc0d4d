import { epochOf, printClaim, threadField, type StoredClaim } from '../../src/redis/claims.js';
import { keySpace, partitionOf } from '../../src/redis/partitions.js';
import type { ScriptName } from '../../src/redis/scripts.js';
import { Chance } from '../../src/simulation/chance.js';
import { printSlot } from './redis-model/stored.js';

/** What happens at a server at a time: a script runs, or somebody else writes or deletes. */
export type QuotaStep = { readonly nowMs: number } & (
  | {
      readonly kind: 'script';
      readonly name: ScriptName;
      readonly keys: readonly string[];
      readonly arguments: string[];
    }
  | { readonly kind: 'write'; readonly key: string; readonly field: string; readonly value: string }
  | { readonly kind: 'delete'; readonly key: string }
);

/** All users are of one partition. Two have ids that would break a careless key. */
const userIds = ['ada', sameAs('ada', '}x{'), sameAs('ada', '界:u:')];
const fields = ['a', '{}>:u:', threadField('界'.repeat(100)), ''];

const space = keySpace();
const partition = partitionOf('ada');
export const fixedKeys = [space.meta(partition), space.epochs(partition), space.log(partition)] as const;
export const userKeys = userIds.map((userId) => space.user(userId));

/** When the first step happens: a time of Redis whose stamps have the 8 characters of today. */
export const startMs = 1_800_000_000_000;
export const ttlMs = 30 * 24 * 3_600_000;
const head = Object.freeze({ beatMs: 1_000, nodeTimeoutMs: 5_000 });

interface Process {
  readonly processId: string;
  rotation: number;
  /** All rotations that did not leave yet. */
  rotations: number[];
  /** Until which step it does nothing, or little. */
  pausedUntil: number;
  lastBeatMs: number;
}

interface KnownClaim {
  readonly userKey: string;
  readonly field: string;
  readonly claim: StoredClaim;
}

/** A user id that begins with this and is in the same partition. */
function sameAs(userId: string, begin: string): string {
  for (let number = 0; ; number++) {
    if (partitionOf(`${begin}${number}`) === partitionOf(userId)) return `${begin}${number}`;
  }
}

/** The steps that follow from a seed. They do not depend on replies, so that any part of them can be played. */
export function quotaSteps(seed: number, count: number): QuotaStep[] {
  const plan = new Plan(new Chance(seed));
  while (plan.steps.length < count) plan.next();
  return plan.steps.slice(0, count);
}

class Plan {
  readonly steps: QuotaStep[] = [];
  readonly #chance: Chance;
  readonly #processes: readonly Process[];
  readonly #known: KnownClaim[] = [];
  #nowMs = startMs;

  constructor(chance: Chance) {
    this.#chance = chance;
    // The order of the ids decides between equal stamps.
    this.#processes = ['pppppppp', '1aaaaaaa', 'zz0zz0zz'].map((processId) => {
      const rotation = chance.pick([0, 3, 1_294]);
      return { processId, rotation, rotations: [rotation], pausedUntil: 0, lastBeatMs: startMs };
    });
    for (const process of this.#processes) this.#script('register', process, [this.#limit()]);
  }

  next(): void {
    const chance = this.#chance;
    this.#nowMs += this.#elapsed();
    const process = this.#anyProcess();
    if (this.#nowMs - process.lastBeatMs > 0.8 * head.nodeTimeoutMs && chance.is(0.5)) this.#beatOrRotate(process);
    const actions: readonly [weight: number, act: () => void][] = [
      [16, () => this.#beat(process)],
      [26, () => this.#acquire(process)],
      [16, () => this.#commit(process)],
      [12, () => this.#release(process)],
      [6, () => this.#exchange(process)],
      [7, () => this.#assert(process)],
      [4, () => this.#verify(process)],
      [3, () => this.#rotate(process)],
      [2, () => this.#leave(process)],
      [5, () => this.#again()],
      [3, () => this.#write()],
      [0.4, () => this.#delete()],
      [1, () => this.#fight()],
    ];
    let left = chance.next() * actions.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, act] of actions) {
      left -= weight;
      if (left >= 0) continue;
      act();
      return;
    }
  }

  #elapsed(): number {
    const chance = this.#chance;
    const [min, max] = chance.pick([
      ...Array<[number, number]>(20).fill([0, 0]),
      ...Array<[number, number]>(12).fill([1, 200]),
      ...Array<[number, number]>(4).fill([200, 1_100]),
      [999, 1_001],
      chance.is(0.3) ? [2_000, 6_000] : [0, 1],
      chance.is(0.3) ? [4_999, 5_001] : [0, 1],
      chance.is(0.1) ? [6_000, 100_000] : [0, 1],
      chance.is(0.1) ? [-60_000, -1] : [1, 2],
    ]);
    return chance.integer(min, max);
  }

  /** One that is not paused, or a zombie. */
  #anyProcess(): Process {
    const chance = this.#chance;
    const process = chance.pick(this.#processes);
    if (chance.is(0.01)) process.pausedUntil = this.steps.length + chance.integer(10, 60);
    if (process.pausedUntil === 0) return process;
    if (process.pausedUntil < this.steps.length) {
      process.pausedUntil = 0;
      if (chance.is(0.8)) this.#rotate(process);
      return process;
    }
    return chance.is(0.1) ? process : (this.#processes.find(({ pausedUntil }) => pausedUntil === 0) ?? process);
  }

  /** It beats late, or too late. */
  #beatOrRotate(process: Process): void {
    if (this.#nowMs - process.lastBeatMs > head.nodeTimeoutMs) this.#rotate(process);
    this.#beat(process);
  }

  #beat(process: Process): void {
    process.lastBeatMs = this.#nowMs;
    const strangers = this.#chance.is(0.1) ? [this.#anyEpoch()] : [];
    const epochs = [...process.rotations.map((rotation) => epochOf({ ...process, rotation })), ...strangers];
    this.#script('beat', process, [epochs.join(','), this.#cursor()]);
  }

  #acquire(process: Process): void {
    const isAgain = this.#chance.is(0.25);
    const known = isAgain ? this.#knownOf(process) : this.#freshClaim(process);
    this.#claim('acquire', process, { ...known, last: [this.#limit(), this.#levels()] });
    if (this.#chance.is(0.4)) this.#claim('commit', process, { ...known, last: [this.#limit(), this.#levels()] });
  }

  #commit(process: Process): void {
    this.#claim('commit', process, { ...this.#knownOf(process), last: [this.#limit(), this.#levels()] });
  }

  #release(process: Process): void {
    this.#claim('release', process, { ...this.#knownOf(process), last: [this.#levels()] });
  }

  #verify(process: Process): void {
    this.#claim('verify', process, { ...this.#knownOf(process), last: [] });
  }

  #exchange(process: Process): void {
    const victim = this.#knownOf(process);
    if (this.#chance.is(0.2)) this.#takeOver(victim);
    const newcomer = this.#chance.is(0.7) ? this.#freshClaim(this.#chance.pick(this.#processes)) : this.#anyKnown();
    const claims = [victim.field, printClaim(victim.claim), newcomer.field, printClaim(newcomer.claim)];
    this.#script('exchange', process, claims, [victim.userKey]);
  }

  /** Another process, or the same, asks for the thread of a claim. */
  #takeOver({ userKey, field }: KnownClaim): void {
    const process = this.#chance.pick(this.#processes);
    const known = { userKey, field, claim: this.#claimOf(process, this.#nowMs) };
    this.#known.push(known);
    this.#claim('acquire', process, { ...known, last: [this.#limit(), this.#levels()] });
  }

  #assert(process: Process): void {
    const claims = Array.from({ length: this.#chance.integer(1, 5) }, () => this.#knownOf(process));
    const texts = claims.flatMap(({ field, claim }) => [
      field,
      printClaim({ ...claim, rotation: this.#chance.is(0.9) ? process.rotation : claim.rotation }),
      this.#chance.pick(['0', '1']),
    ]);
    this.#script(
      'assert',
      process,
      [this.#cursor(), ...texts],
      claims.map(({ userKey }) => userKey),
    );
  }

  #rotate(process: Process): void {
    process.rotation = (process.rotation + 1) % 1_296;
    process.rotations.push(process.rotation);
    this.#script('register', process, [this.#limit()]);
    if (this.#chance.is(0.5)) this.#leave(process);
  }

  /** The old rotations end, seldom the last one too. */
  #leave(process: Process): void {
    const isLast = this.#chance.is(0.05);
    const leaving = process.rotations.filter((rotation) => isLast || rotation !== process.rotation);
    process.rotations = [process.rotation];
    this.#script('leave', process, [leaving.map((rotation) => epochOf({ ...process, rotation })).join(',')]);
  }

  /** A call that was sent before comes once more, or so late. */
  #again(): void {
    const step = this.#chance.pick(this.steps.slice(-this.#chance.pick([3, 30, 200])));
    this.steps.push({ ...step, nowMs: this.#nowMs });
  }

  /** Values of another version, of nobody, and of claims as they might be. */
  #write(): void {
    const chance = this.#chance;
    const one = printClaim(this.#anyClaim());
    const value = chance.pick([
      ...Array<string>(6).fill(printSlot({ holder: this.#anyClaim(), pending: this.#anyClaim() })),
      ...Array<string>(3).fill(one),
      ...[
        '',
        'x',
        `${one}>`,
        `${one}<${one}`,
        `${one}>${one}0`,
        `${one}00`,
        one.toUpperCase(),
        `${one}>界${one.slice(3)}`,
      ],
    ]);
    const step = { kind: 'write', key: chance.pick(userKeys), field: chance.pick(fields), value } as const;
    this.steps.push({ ...step, nowMs: this.#nowMs });
  }

  #delete(): void {
    const key = this.#chance.pick([...fixedKeys, ...userKeys]);
    this.steps.push({ kind: 'delete', key, nowMs: this.#nowMs });
  }

  /** Two processes take a thread from each other. */
  #fight(): void {
    const [one, other] = [this.#chance.pick(this.#processes), this.#chance.pick(this.#processes)];
    const { userKey, field } = this.#freshClaim(one);
    for (let round = 0; round < 9; round++) {
      const process = round % 2 === 0 ? one : other;
      this.#nowMs += this.#chance.is(0.2) ? this.#chance.integer(1_999, 2_000) : this.#chance.integer(1, 700);
      const known = { userKey, field, claim: this.#claimOf(process, this.#nowMs) };
      this.#known.push(known);
      for (const name of ['acquire', 'commit'] as const)
        this.#claim(name, process, { ...known, last: [this.#limit(), this.#levels()] });
    }
  }

  #claim(
    name: ScriptName,
    process: Process,
    { userKey, field, claim, last }: KnownClaim & { readonly last: readonly string[] },
  ): void {
    const rotation = this.#chance.is(0.9) ? process.rotation : claim.rotation;
    this.#script(name, process, [field, printClaim({ ...claim, rotation }), ...last], [userKey]);
  }

  #script(name: ScriptName, process: Process, values: readonly string[], keys: readonly string[] = []): void {
    const rotation = this.#chance.is(0.95) ? process.rotation : this.#chance.pick(process.rotations);
    const epoch = epochOf({ ...process, rotation });
    const first = [epoch, String(head.beatMs), String(head.nodeTimeoutMs), String(ttlMs)];
    const call = { name, keys: [...fixedKeys, ...keys], arguments: [...first, ...values] };
    this.steps.push({ kind: 'script', ...call, nowMs: this.#nowMs });
  }

  #freshClaim(process: Process): KnownClaim {
    const chance = this.#chance;
    const spread = chance.pick([0, 0, 50, 2_500]);
    const stampMs = chance.is(0.1)
      ? (this.#known.at(-1)?.claim.stampMs ?? this.#nowMs)
      : this.#nowMs + chance.integer(-spread, spread);
    const claim = this.#claimOf(process, stampMs);
    const known = { userKey: this.#anyUserKey(), field: chance.pick(fields), claim };
    this.#known.push(known);
    return known;
  }

  #claimOf({ processId, rotation }: Process, stampMs: number): StoredClaim {
    return { processId, rotation, stampMs, takeovers: this.#chance.is(0.8) ? 0 : this.#chance.integer(0, 6) };
  }

  /** The first user has more to do than the others. */
  #anyUserKey(): string {
    return this.#chance.is(0.6) ? userKeys[0]! : this.#chance.pick(userKeys);
  }

  #knownOf(process: Process): KnownClaim {
    const own = this.#known.filter(({ claim }) => claim.processId === process.processId).slice(-this.#recent());
    return own.length === 0 || this.#chance.is(0.03) ? this.#freshClaim(process) : this.#chance.pick(own);
  }

  #anyKnown(): KnownClaim {
    const known = this.#known.slice(-this.#recent());
    return known.length === 0 ? this.#freshClaim(this.#chance.pick(this.#processes)) : this.#chance.pick(known);
  }

  #recent(): number {
    return this.#chance.pick([1, 3, 3, 10, 40]);
  }

  #anyClaim(): StoredClaim {
    const process = this.#chance.pick(this.#processes);
    const rotation = this.#chance.pick(process.rotations);
    const stampMs = this.#nowMs + this.#chance.integer(-3_000, 1_000);
    return { processId: process.processId, rotation, stampMs, takeovers: this.#chance.pick([0, 4, 5, 5, 35]) };
  }

  #anyEpoch(): string {
    return epochOf({ processId: 'stranger', rotation: this.#chance.integer(0, 9) });
  }

  #limit(): string {
    return this.#chance.pick(['1', '1', '2', '2', '2', '0', '3']);
  }

  #levels(): string {
    return this.#chance.pick(['', '1', '2', '1,2', '2,3']);
  }

  #cursor(): string {
    if (this.#chance.is(0.05)) return '0-0';
    const step = this.#chance.pick(this.steps.slice(-this.#chance.pick([1, 10, 50])));
    return `${step.nowMs}-${this.#chance.integer(0, 2)}`;
  }
}
