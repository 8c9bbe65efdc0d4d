import type { LedgerAnswer } from '../../../src/core/quota/quota-ledger.js';
import type { LedgerState } from '../../../src/core/vocabulary.js';
import { partitionOf } from '../../../src/redis/partitions.js';
import { keyOf, nodeTimeoutMs, type Answered, type Asked, type Host, type Manager, type Witness } from './host.js';
import { Moves } from './moves.js';
import type { WorldRedis } from './server.js';
import type { Troubles } from './troubles.js';

/** A promise that was broken, and how. */
export interface Violation {
  readonly promise: string;
  readonly message: string;
}

/** What is known of a manager while it is there. */
interface Record {
  /** Since when Redis may not count it; `null`: it does. */
  uncountedSinceMs: number | null;
  /** When that ends at the soonest. */
  uncountedUntilMs: number;
  /** When its first connection was open. */
  openedAtMs: number;
  /** Since when a newer connection of its thread has been open elsewhere; `null`: there is none. */
  overtakenAtMs: number | null;
}

/** A connection that was made or opened once. */
interface Seen {
  readonly host: Host;
  readonly arrivedAtMs: number;
  /** When this was. */
  readonly atMs: number;
  readonly isOpen: boolean;
  readonly isGranted: boolean;
  readonly isRenewed: boolean;
}

interface JudgeParts {
  readonly limit: number;
  readonly server: WorldRedis;
  readonly troubles: Troubles;
  readonly nowMs: () => number;
  /** Processes that were neither killed nor stopped. */
  readonly hosts: () => readonly Host[];
  readonly tell: (line: string) => void;
}

/** The longest that a newcomer waits for an answer, in milliseconds. */
const answerMs = 260;
/** The same while the ledger is down. */
const downMs = 100;
/** How long an overtaken connection may stay: two beats, if it was overtaken by one that was overtaken before. */
const lingerMs = 2_400;
/** How much the order of two arrivals may be mistaken: stamps are given when a call is sent. */
const orderMs = 350;
/** What an operator deletes is put back by the next rotation only. */
const rotationMs = 740_000;

/** Watches the processes and says which promise is broken, if one is. */
export class Judges implements Witness {
  violation: Violation | null = null;
  readonly #parts: JudgeParts;
  readonly #records = new Map<Manager, Record>();
  readonly #seen = new Map<string, Seen[]>();
  /** By thread: until when a process that was killed may still have its slot. */
  readonly #leftUntilMs = new Map<string, number>();
  readonly #moves: Moves;
  #hasClockChanged = false;

  constructor(parts: JudgeParts) {
    this.#parts = parts;
    this.#moves = new Moves(parts.server);
  }

  report(promise: string, message: string): void {
    this.violation ??= { promise, message };
    this.#parts.tell(`!!! ${promise}: ${message}`);
  }

  asked(asked: Asked): void {
    this.#see({ ...asked, isGranted: true, opened: 0 }, false);
  }

  answered(host: Host, answer: LedgerAnswer['granted'], { afterMs, wasDown }: Answered): void {
    const { troubles, tell, nowMs } = this.#parts;
    tell(`process ${host.place} is told ${String(answer)} after ${afterMs} ms`);
    // While a process stands still it hears no answer.
    const hasStoodStill = nowMs() - host.time.wentOnAtMs < 2 * answerMs + afterMs;
    const mostMs = wasDown && this.#parts.server.pausedForMs > 1_500 ? downMs : answerMs;
    if (afterMs > mostMs && !hasStoodStill) {
      this.report(
        'answers in time',
        `process ${host.place} waited for ${afterMs} ms${wasDown ? ', and it was down' : ''}`,
      );
    }
    if (answer === 'unknown' && troubles.isWell(host.id)) {
      this.report('decides while it can', `process ${host.place} was told "unknown", and Redis is well`);
    }
  }

  made(manager: Manager): void {
    const { nowMs, tell, limit } = this.#parts;
    const { claim, host, isGranted } = manager;
    tell(`process ${host.place} admits ${nameOf(manager)}`);
    this.#see(manager, false);
    const now = nowMs();
    const uncountedSinceMs = isGranted ? null : now;
    const record = { uncountedSinceMs, uncountedUntilMs: now, openedAtMs: Infinity, overtakenAtMs: null };
    this.#records.set(manager, record);
    this.#noteOrder(manager);
    if (!isGranted) return;
    for (const other of this.#living(() => true)) this.#noteSilence(other);
    const others = this.#living(
      ({ claim: { userId, threadId } }) => userId === claim.userId && threadId !== claim.threadId,
    );
    const counted = others.filter((other) => this.#isCounted(other)).map((other) => other.claim.threadId);
    const isThere =
      this.#living((other) => other !== manager && keyOfManager(other) === keyOfManager(manager)).length > 0;
    const total = new Set(counted).size + 1;
    const isLeft = now < (this.#leftUntilMs.get(keyOfManager(manager)) ?? 0);
    if (total <= limit || isThere || isLeft) return;
    this.report('within the limit', `${nameOf(manager)} was granted as number ${total} of ${limit}`);
  }

  opened(manager: Manager): void {
    this.#parts.tell(`process ${manager.host.place}: ${nameOf(manager)} is open`);
    const record = this.#records.get(manager);
    if (record !== undefined) record.openedAtMs = Math.min(record.openedAtMs, this.#parts.nowMs());
    const wasOvertaken = (record?.overtakenAtMs ?? null) !== null;
    this.#see(manager, true);
    this.#noteOrder(manager);
    // Redis hears of a newer connection in the same process only when it says that the thread moved.
    if (wasOvertaken && record?.overtakenAtMs === null) this.#doubt(manager, this.#parts.nowMs());
  }

  released(manager: Manager, why: string): void {
    this.#parts.tell(`process ${manager.host.place} releases ${nameOf(manager)}: ${why}`);
    this.#records.delete(manager);
    // Redis may not hear of it yet.
    if (!this.#parts.troubles.isWell(manager.host.id)) this.left(keyOfManager(manager));
  }

  superseded(manager: Manager): void {
    const { openedAtMs = Infinity, uncountedSinceMs = null } = this.#records.get(manager) ?? {};
    // After a loss, Redis does not know which of two connections was open, nor by which clock a replica counted.
    const isAfterLoss = uncountedSinceMs !== null;
    if (isAfterLoss && this.#hasClockChanged) return;
    const isThere = (this.#seen.get(keyOfManager(manager)) ?? []).some(
      (seen) =>
        seen.host !== manager.host &&
        (seen.isOpen || seen.atMs < openedAtMs || isAfterLoss) &&
        seen.arrivedAtMs > manager.arrivedAtMs - this.#orderSlackMs(manager, seen),
    );
    if (isThere) return;
    this.report('superseded by a newer one', `${nameOf(manager)} of process ${manager.host.place} was taken from it`);
  }

  stateChanged(host: Host, state: LedgerState): void {
    this.#parts.tell(`the ledger of process ${host.place} is ${state}`);
  }

  /** A process was killed, and nobody has told Redis. */
  killed(host: Host): void {
    for (const manager of host.managers.values()) this.left(keyOfManager(manager));
  }

  /** Redis has a slot of a thread that nobody has, until its epoch is dead. */
  left(key: string): void {
    this.#leftUntilMs.set(key, this.#parts.nowMs() + 2 * nodeTimeoutMs);
  }

  /** The clock of Redis has leapt: until all have heard of it, stamps are out of order. */
  clockChanged(byMs: number): void {
    if (byMs !== 0) this.#hasClockChanged = true;
  }

  /** Redis has lost what it knew. @param user of one user only, and nobody is told of it */
  lost(user: string | null): void {
    const now = this.#parts.nowMs();
    const untilMs = user === null ? now : now + rotationMs;
    for (const manager of this.#living(({ claim }) => user === null || claim.userId === user)) {
      this.#doubt(manager, untilMs);
    }
  }

  /** To be called often: notices what follows from the passing of time. */
  check(): void {
    for (const manager of this.#living(() => true)) {
      this.#noteSilence(manager);
      this.#noteRecovery(manager);
      this.#checkLingering(manager);
    }
    this.#moves.look(this.#living((manager) => this.#mustGiveWay(manager)));
  }

  /** Everything has been quiet for long. */
  checkQuiet(): void {
    for (const manager of this.#moves.told) {
      this.report(
        'gives way',
        `process ${manager.host.place} was told that ${nameOf(manager)} moved, and has it still`,
      );
    }
  }

  /** If it is told that its thread moved: it had its slot then, and no other connection of its own is newer. */
  #mustGiveWay(manager: Manager): boolean {
    const { uncountedSinceMs, overtakenAtMs = null } = this.#records.get(manager) ?? {};
    return uncountedSinceMs === null && overtakenAtMs !== null && manager.opened <= 1 && !manager.isPassedOn;
  }

  #living(isMeant: (manager: Manager) => boolean): Manager[] {
    return this.#parts.hosts().flatMap(({ managers }) => [...managers.values()].filter(isMeant));
  }

  #see(manager: Pick<Manager, (keyof Seen & keyof Manager) | 'claim' | 'opened'>, isOpen: boolean): void {
    const key = keyOfManager(manager);
    const { host, arrivedAtMs, isGranted, opened } = manager;
    const seen = { host, arrivedAtMs, atMs: this.#parts.nowMs(), isOpen, isGranted, isRenewed: opened > 1 };
    this.#seen.set(key, [...(this.#seen.get(key) ?? []), seen]);
  }

  #isCounted(manager: Manager): boolean {
    const record = this.#records.get(manager);
    return record?.uncountedSinceMs === null && record.overtakenAtMs === null;
  }

  #doubt(manager: Manager, untilMs: number): void {
    const record = this.#records.get(manager);
    if (record === undefined) return;
    record.uncountedSinceMs = this.#parts.nowMs();
    record.uncountedUntilMs = Math.max(record.uncountedUntilMs, untilMs);
  }

  /** The newest open connection of a thread has it. One that is not open yet gives way to any newer one. */
  #noteOrder(manager: Manager): void {
    const rivals = this.#living((other) => keyOfManager(other) === keyOfManager(manager));
    const newest = Math.max(...rivals.filter(({ opened }) => opened > 0).map(({ arrivedAtMs }) => arrivedAtMs));
    const newestOfAll = Math.max(...rivals.map(({ arrivedAtMs }) => arrivedAtMs));
    for (const rival of rivals) {
      const record = this.#records.get(rival);
      if (record === undefined) continue;
      const isOvertaken = rival.arrivedAtMs < (rival.opened > 0 ? newest : newestOfAll);
      record.overtakenAtMs = isOvertaken ? (record.overtakenAtMs ?? this.#parts.nowMs()) : null;
    }
  }

  /** After a leap of the clock, the order is exact only of claims that Redis has granted, and nobody has renewed. */
  #orderSlackMs({ isGranted, opened }: Manager, rival: Seen): number {
    const areKnown = isGranted && rival.isGranted && opened <= 1 && !rival.isRenewed;
    return this.#hasClockChanged && !areKnown ? Infinity : orderMs;
  }

  /** A process that was not heard of for `nodeTimeout` counts as dead. */
  #noteSilence(manager: Manager): void {
    const { server, nowMs } = this.#parts;
    const { host, claim } = manager;
    const heardAtMs = server.beats.get(host.id)?.[partitionOf(claim.userId)] ?? 0;
    if (server.boundMs - heardAtMs >= nodeTimeoutMs - 100) this.#doubt(manager, nowMs());
  }

  #noteRecovery(manager: Manager): void {
    const record = this.#records.get(manager);
    const { troubles, nowMs } = this.#parts;
    if (record === undefined || record.uncountedSinceMs === null) return;
    const atMs = Math.max(record.uncountedUntilMs, troubles.recoveredAtMs(manager.host.id, record.uncountedSinceMs));
    if (atMs <= nowMs()) record.uncountedSinceMs = null;
  }

  #checkLingering(manager: Manager): void {
    const { troubles, nowMs } = this.#parts;
    const { overtakenAtMs = null, openedAtMs = Infinity } = this.#records.get(manager) ?? {};
    if (overtakenAtMs === null || nowMs() - Math.max(overtakenAtMs, openedAtMs) < lingerMs) return;
    const rivals = this.#living((other) => other !== manager && keyOfManager(other) === keyOfManager(manager));
    const [rival] = rivals.filter(
      ({ opened, arrivedAtMs }) => opened > 0 && arrivedAtMs > manager.arrivedAtMs + orderMs,
    );
    if (rival === undefined || [manager, rival].some((one) => this.#records.get(one)?.uncountedSinceMs !== null))
      return;
    if (![manager, rival].every(({ host }) => troubles.wasWellSince(host.id, overtakenAtMs))) return;
    this.report(
      'one at a time',
      `${nameOf(manager)} is open in the processes ${manager.host.place} and ${rival.host.place}`,
    );
  }
}

function keyOfManager({ claim: { userId, threadId } }: Pick<Manager, 'claim'>): string {
  return keyOf({ user: userId, thread: threadId });
}

function nameOf({ claim: { userId, threadId } }: Manager): string {
  return `${userId} ${threadId}`;
}
