import { readFileSync } from 'node:fs';

/** Something that a process did to a slot. Times are in milliseconds, on the clock of the machine. */
export interface SlotEvent {
  readonly atMs: number;
  readonly process: string;
  readonly what: 'open' | 'release' | 'refuse';
  readonly userId: string;
  readonly threadId: string;
  /** The reason of a release, the cause of a refusal, `granted` or `alone` for an opening: whether Redis has said yes. */
  readonly why: string;
  /** When Redis was asked for what was opened; else the same as `atMs`. */
  readonly askedAtMs: number;
}

/** What was done to a process, or to Redis. */
export type Fault =
  | { readonly what: 'killed'; readonly process: string; readonly fromMs: number }
  | { readonly what: 'frozen'; readonly process: string; readonly fromMs: number; readonly untilMs: number }
  | {
      /** `gone`: ended or stopped; `emptied`: it forgot everything, and went on. */
      readonly what: 'redis gone' | 'redis emptied';
      readonly fromMs: number;
      /** When it could be asked again. */
      readonly untilMs: number;
    }
  | {
      /** Nothing was done, but the process wrote that Redis did not answer in time, as on a busy machine. */
      readonly what: 'unanswered';
      readonly process: string;
      readonly fromMs: number;
      readonly untilMs: number;
    };

/** What holds, by the table of the guide. */
export interface Promised {
  readonly limit: number;
  readonly beatMs: number;
  readonly nodeTimeoutMs: number;
}

/** Something that must not have happened. */
export interface Breach {
  readonly atMs: number;
  readonly event: SlotEvent;
  /** How many slots the user had; or for how many milliseconds a thread was open twice, or a slot had been free. */
  readonly count: number;
}

/** What the histories of all processes say together. */
export interface Verdict {
  readonly opens: number;
  readonly refusals: number;
  /** Takeovers between processes. */
  readonly takeovers: number;
  /** Opened beyond the limit, and no fault allowed it. */
  readonly over: readonly Breach[];
  /** Opened beyond the limit within one process. */
  readonly overInOne: readonly Breach[];
  /** How often a fault allowed it. */
  readonly allowedOver: number;
  /** How often a process admitted alone, since Redis did not answer in time, although nothing was done to either. */
  readonly alone: number;
  /** Threads that were open in two processes for too long. */
  readonly twice: readonly Breach[];
  /** Refused for the quota although it had room for a while. */
  readonly refusedWithRoom: readonly Breach[];
  /** The longest time, in milliseconds, for which a thread was open twice while nothing was done to anybody. */
  readonly longestTwiceMs: number;
  /** What is open at the end: user and thread, as text. */
  readonly open: ReadonlySet<string>;
}

/** Something that a process wrote about itself. */
export interface Note {
  readonly atMs: number;
  readonly text: string;
}

/** Everything that happened in a run. */
export interface History {
  readonly events: readonly SlotEvent[];
  readonly faults: readonly Fault[];
  readonly notes: readonly Note[];
}

/** Three breaches of each kind at most. */
export function firstBreaches({ over, overInOne, twice, refusedWithRoom }: Verdict): Breach[] {
  return [over, overInOne, twice, refusedWithRoom].flatMap((breaches) => breaches.slice(0, 3));
}

/** When a process stood still, and what it said of Redis. */
export function readNotes(process: string, file: string): Note[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, what]) => what === 'ledger' || what === 'stalled')
    .map(([ns = '', ...words]) => ({ atMs: Number(ns) / 1e6, text: [process, ...words].join(' ') }));
}

/** What was done to the processes, and what they did for the user, in the 12 s before the breach and the 2 s after it. */
export function storyOf(breach: Breach, { events, faults, notes }: History): string {
  const { userId, threadId, process, what } = breach.event;
  const at = (ms: number): string => (ms - breach.atMs).toFixed(0).padStart(7);
  const isNear = (ms: number): boolean => breach.atMs - 12_000 < ms && ms < breach.atMs + 2_000;
  const ofFaults = faults.flatMap((fault): [number, string][] => {
    const whom = 'process' in fault ? fault.process : '';
    const untilMs = 'untilMs' in fault ? fault.untilMs : fault.fromMs;
    if (!isNear(fault.fromMs) && !isNear(untilMs)) return [];
    return [[fault.fromMs, `${fault.what} ${whom}, until ${at(untilMs).trim()}`]];
  });
  const ofUser = events
    .filter((event) => event.userId === userId && isNear(event.atMs))
    .map((event): [number, string] => {
      const asked = event.what === 'open' ? `, asked at ${at(event.askedAtMs).trim()}` : '';
      return [event.atMs, `${event.process} ${event.what} ${event.threadId} ${event.why}${asked}`];
    });
  const ofProcesses = notes.filter(({ atMs }) => isNear(atMs)).map(({ atMs, text }): [number, string] => [atMs, text]);
  const lines = [...ofFaults, ...ofUser, ...ofProcesses].toSorted((one, other) => one[0] - other[0]);
  const head = `${what} of ${userId} ${threadId} by ${process}: ${breach.count}`;
  return [head, ...lines.map(([ms, text]) => `${at(ms)} ${text}`)].join('\n');
}

/** How long a thread may be open twice, and how long there may be room that nobody gets, in milliseconds. */
const tolerance = Object.freeze({ twiceMs: 1_500, roomMs: 1_500, rotationMs: 3_000, stopMs: 50 });

/** Reads what a process wrote. A last line without its end does not count. */
export function readHistory(process: string, file: string): SlotEvent[] {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.flatMap((line) => {
    const [ns = '', what, userId = '', threadId = '', why = '', askedNs = ns] = line.split(' ');
    if (what !== 'open' && what !== 'release' && what !== 'refuse') return [];
    return [{ atMs: Number(ns) / 1e6, process, what, userId, threadId, why, askedAtMs: Number(askedNs) / 1e6 }];
  });
}

/** When Redis did not answer a process in time, by what it wrote. */
export function readUnanswered(process: string, file: string): Extract<Fault, { what: 'unanswered' }>[] {
  const found: Extract<Fault, { what: 'unanswered' }>[] = [];
  let sinceMs: number | null = null;
  for (const line of readFileSync(file, 'utf8').split('\n').slice(0, -1)) {
    const [ns = '', what, state] = line.split(' ');
    if (what !== 'ledger') continue;
    const atMs = Number(ns) / 1e6;
    if (state === 'up' && sinceMs !== null) found.push({ what: 'unanswered', process, fromMs: sinceMs, untilMs: atMs });
    sinceMs = state === 'up' ? null : (sinceMs ?? atMs);
  }
  return found;
}

/** One process that has a thread open. */
interface Holder {
  readonly process: string;
  readonly askedAtMs: number;
  readonly openedAtMs: number;
  readonly isAlone: boolean;
  /** Who has opened the thread since. Then this one does not count any longer. */
  successor: Holder | null;
  supersededAtMs: number;
  /** When the newer connection of its thread ended before this one did; `-Infinity`: that has not happened. */
  regainedAtMs: number;
}

class User {
  readonly threads = new Map<string, Holder[]>();
  /** When the slots of killed processes become free. */
  ghosts: number[] = [];
  /** Until when there was certainly no room. */
  fullUntilMs = -Infinity;

  /** How many threads are open. @param isCounted whether a holder counts */
  count(isCounted: (holder: Holder) => boolean = () => true): number {
    let count = 0;
    for (const holders of this.threads.values()) {
      if (holders.some((holder) => holder.successor === null && isCounted(holder))) count += 1;
    }
    return count;
  }

  countIn(process: string): number {
    return [...this.threads.values()].filter((holders) => holders.some((each) => each.process === process)).length;
  }
}

/**
 * Goes through everything that happened, in order, and compares it with what is promised.
 *
 * An instant above the limit is allowed if the last slot before it was opened while a fault allowed that: so each opening is
 * judged. A thread counts once; the process that opened it last has it.
 */
export function judge(events: readonly SlotEvent[], faults: readonly Fault[], promised: Promised): Verdict {
  return new Judge(faults, promised).run(events);
}

class Judge {
  readonly #faults: readonly Fault[];
  readonly #promised: Promised;
  readonly #users = new Map<string, User>();
  readonly #breaches = { over: [] as Breach[], overInOne: [] as Breach[], twice: [] as Breach[], room: [] as Breach[] };
  #late: ReadonlySet<SlotEvent> = new Set();
  #opens = 0;
  #refusals = 0;
  #takeovers = 0;
  #allowedOver = 0;
  #alone = 0;
  #longestTwiceMs = 0;

  constructor(faults: readonly Fault[], promised: Promised) {
    this.#faults = faults;
    this.#promised = promised;
  }

  run(events: readonly SlotEvent[]): Verdict {
    const kills = this.#faults
      .filter(({ what }) => what === 'killed')
      .toSorted((one, other) => one.fromMs - other.fromMs);
    const killed = new Map(kills.map((kill) => ['process' in kill ? kill.process : '', kill.fromMs]));
    const sorted = events.toSorted((one, other) => one.atMs - other.atMs);
    this.#late = lateOpenings(sorted);
    for (const event of sorted) {
      for (let next = kills[0]; next !== undefined && next.fromMs <= event.atMs; next = kills[0])
        this.#kill(kills.shift());
      // It may have done that just before it died.
      if ((killed.get(event.process) ?? Infinity) <= event.atMs) continue;
      this.#apply(event);
    }
    for (const kill of kills) this.#kill(kill);
    return {
      opens: this.#opens,
      refusals: this.#refusals,
      takeovers: this.#takeovers,
      over: this.#breaches.over,
      overInOne: this.#breaches.overInOne,
      allowedOver: this.#allowedOver,
      alone: this.#alone,
      twice: this.#breaches.twice,
      refusedWithRoom: this.#breaches.room,
      longestTwiceMs: this.#longestTwiceMs,
      open: this.#stillOpen(),
    };
  }

  #apply(event: SlotEvent): void {
    const user = this.#userOf(event.userId);
    this.#noteFull(user, event.atMs);
    if (event.what === 'open') this.#open(user, event);
    else if (event.what === 'release') this.#release(user, event);
    else this.#refuse(user, event);
  }

  #open(user: User, event: SlotEvent): void {
    const { limit } = this.#promised;
    const { threadId, process, atMs, askedAtMs, why } = event;
    const holders = user.threads.get(threadId) ?? [];
    // What a process held before it stood still counts again when it is back, also if others have had the thread since.
    const isUncounted = this.#isUncountedAt(atMs);
    const wasCounted = holders.some((holder) => holder.successor === null || isUncounted(holder));
    const isAlone = why === 'alone';
    const opened: Holder = {
      process,
      askedAtMs,
      openedAtMs: atMs,
      isAlone,
      successor: null,
      supersededAtMs: 0,
      regainedAtMs: -Infinity,
    };
    if (this.#late.has(event)) {
      opened.successor = holders.find(({ successor }) => successor === null) ?? opened;
      opened.supersededAtMs = atMs;
    }
    for (const holder of holders) {
      if (holder.successor !== null || opened.successor !== null) continue;
      holder.successor = opened;
      holder.supersededAtMs = atMs;
      this.#takeovers += 1;
    }
    user.threads.set(threadId, [...holders, opened]);
    this.#opens += 1;
    if (isAlone && this.#disturbedMs(atMs - 1, atMs, []) === 0) this.#alone += 1;
    if (user.countIn(process) > limit) this.#breaches.overInOne.push({ atMs, event, count: user.countIn(process) });
    const count = user.count();
    if (wasCounted || opened.successor !== null || count <= limit) return;
    if (this.#isAllowed(user, atMs)) this.#allowedOver += 1;
    else this.#breaches.over.push({ atMs, event, count });
  }

  #release(user: User, event: SlotEvent): void {
    const { threadId, process, why } = event;
    const holders = user.threads.get(threadId) ?? [];
    const ended = holders.find((holder) => holder.process === process);
    if (ended === undefined) return;
    const others = holders.filter((holder) => holder !== ended);
    if (ended.successor !== null) this.#twice(event, ended.supersededAtMs, [process, ended.successor.process]);
    for (const holder of others) {
      if (holder.successor !== ended) continue;
      this.#twice(event, holder.supersededAtMs, [process, holder.process]);
      // It went back to the process that had it before; or that did not hear of the newer connection before it ended: then
      // it stays open, and its process says so with the next beat.
      if (ended.successor === null) holder.successor = null;
      else holder.supersededAtMs = Infinity;
      // One that gave way to a newer connection was not the newest itself.
      holder.regainedAtMs = why === 'moved' ? ended.regainedAtMs : event.atMs;
    }
    if (others.length === 0) user.threads.delete(threadId);
    else user.threads.set(threadId, others);
  }

  #refuse(user: User, event: SlotEvent): void {
    if (event.why !== 'quota') return;
    this.#refusals += 1;
    const { atMs } = event;
    const freeMs = atMs - user.fullUntilMs;
    if (freeMs <= tolerance.roomMs || this.#disturbedMs(atMs - tolerance.roomMs, atMs, [event.process]) > 0) return;
    this.#breaches.room.push({ atMs, event, count: freeMs });
  }

  /** Everything that it had is gone. Its slots are free later. */
  #kill(kill: Fault | undefined): void {
    if (kill?.what !== 'killed') return;
    const { nodeTimeoutMs, beatMs } = this.#promised;
    for (const user of this.#users.values()) {
      this.#noteFull(user, kill.fromMs);
      for (const [threadId, holders] of user.threads) {
        const others = holders.filter(({ process }) => process !== kill.process);
        if (others.length === holders.length) continue;
        user.ghosts.push(kill.fromMs + nodeTimeoutMs + beatMs);
        for (const holder of others) if (holder.successor?.process === kill.process) holder.successor = null;
        if (others.length === 0) user.threads.delete(threadId);
        else user.threads.set(threadId, others);
      }
    }
  }

  /** Whether a fault allows one more slot beyond the limit now. */
  #isAllowed(user: User, atMs: number): boolean {
    if (this.#redisFaultAt(atMs)) return true;
    const isUncounted = this.#isUncountedAt(atMs);
    return user.count((holder) => !isUncounted(holder)) <= this.#promised.limit;
  }

  /**
   * Whether the others need not know of a slot: its process had it before it stood still for long, or admitted alone, and
   * has not had the time to say so.
   */
  #isUncountedAt(atMs: number): (holder: Holder) => boolean {
    const { nodeTimeoutMs, beatMs } = this.#promised;
    const apart = this.#faults.filter(
      (fault) =>
        fault.what === 'frozen' &&
        fault.fromMs + nodeTimeoutMs - 2 * beatMs <= atMs &&
        atMs <= fault.untilMs + beatMs + tolerance.rotationMs,
    );
    return ({ process, askedAtMs, openedAtMs, isAlone, regainedAtMs }) =>
      (isAlone && atMs - openedAtMs <= beatMs + tolerance.rotationMs) ||
      atMs - regainedAtMs <= beatMs + tolerance.rotationMs ||
      apart.some(
        (fault) => 'process' in fault && fault.process === process && askedAtMs <= fault.fromMs + tolerance.stopMs,
      );
  }

  #redisFaultAt(atMs: number): boolean {
    const ofRedis = this.#faults.filter(({ what }) => what === 'redis gone' || what === 'redis emptied');
    return this.#windows(ofRedis).some(([fromMs, untilMs]) => fromMs <= atMs && atMs <= untilMs);
  }

  /** When the promises for a healthy quota do not hold. */
  #windows(faults: readonly Fault[]): [fromMs: number, untilMs: number][] {
    const { beatMs } = this.#promised;
    return faults.flatMap((fault): [number, number][] => {
      if (fault.what === 'killed') return [];
      // A beat that was missed before it was known, and the next.
      if (fault.what === 'unanswered') return [[fault.fromMs - beatMs, fault.untilMs + beatMs]];
      // It is asked again after two good beats, the first of which may be a beat away.
      const beats = fault.what === 'redis gone' ? 3 : 1;
      return [[fault.fromMs, fault.untilMs + beats * beatMs + tolerance.rotationMs]];
    });
  }

  /** For how long of that time they did not hold for these processes. A frozen one may answer from what it knew before. */
  #disturbedMs(fromMs: number, untilMs: number, processes: readonly string[]): number {
    const faults = this.#faults.filter((fault) => !('process' in fault) || processes.includes(fault.process));
    const windows = this.#windows(faults).toSorted((one, other) => one[0] - other[0]);
    let [sumMs, doneMs] = [0, fromMs];
    for (const [begins, ends] of windows) {
      const begin = Math.max(begins, doneMs);
      const end = Math.min(ends, untilMs);
      if (end <= begin) continue;
      sumMs += end - begin;
      doneMs = end;
    }
    return sumMs;
  }

  /** @param processes that had the thread: one has to say so, the other to hear of it */
  #twice(event: SlotEvent, sinceMs: number, processes: readonly string[]): void {
    const { atMs } = event;
    const undisturbedMs = atMs - sinceMs - this.#disturbedMs(sinceMs, atMs, processes);
    this.#longestTwiceMs = Math.max(this.#longestTwiceMs, undisturbedMs);
    if (undisturbedMs > tolerance.twiceMs) this.#breaches.twice.push({ atMs, event, count: undisturbedMs });
  }

  /** Until now nothing has changed since the last event of the user, except that ghosts went. */
  #noteFull(user: User, atMs: number): void {
    const open = user.count();
    const { limit } = this.#promised;
    const ghosts = user.ghosts.toSorted((one, other) => other - one);
    user.ghosts = ghosts.filter((untilMs) => untilMs > atMs);
    if (open >= limit) user.fullUntilMs = atMs;
    else {
      const last = ghosts[limit - open - 1];
      if (last !== undefined) user.fullUntilMs = Math.max(user.fullUntilMs, Math.min(last, atMs));
    }
  }

  #userOf(userId: string): User {
    const user = this.#users.get(userId) ?? new User();
    this.#users.set(userId, user);
    return user;
  }

  #stillOpen(): Set<string> {
    const open = [...this.#users].flatMap(([userId, { threads }]) =>
      [...threads.keys()].map((threadId) => `${userId} ${threadId}`),
    );
    return new Set(open);
  }
}

/**
 * Openings that the process heard of late: another process had taken the thread over already. They end with `moved`, and
 * nobody has opened the thread since.
 */
function lateOpenings(sorted: readonly SlotEvent[]): Set<SlotEvent> {
  const open = new Map<string, SlotEvent>();
  /** By thread, who opened it last. */
  const newest = new Map<string, SlotEvent>();
  const late = new Set<SlotEvent>();
  for (const event of sorted) {
    const thread = `${event.userId} ${event.threadId}`;
    const key = `${event.process} ${thread}`;
    if (event.what === 'open') {
      open.set(key, event);
      newest.set(thread, event);
    }
    const opening = open.get(key);
    if (event.what !== 'release' || opening === undefined) continue;
    open.delete(key);
    if (event.why === 'moved' && newest.get(thread) === opening) late.add(opening);
  }
  return late;
}
