/** When a process had trouble with Redis. */
interface Trouble {
  readonly fromMs: number;
  untilMs: number;
}

/**
 * Within this time, in milliseconds, after a single trouble everything is as it should be: a beat finds it, a rotation
 * mends it. If another trouble came meanwhile, the rotation may have to be tried again, after 10 s.
 */
const recovery = Object.freeze({ afterOneMs: 3_500, afterMoreMs: 13_500 });

/** Troubles that are closer than this are one. */
const togetherMs = 400;

/** What the injector of faults did to each process: by this alone the judges excuse anything. */
export class Troubles {
  readonly #nowMs: () => number;
  /** By process. */
  readonly #all = new Map<number, Trouble[]>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  add(process: number, fromMs: number, untilMs: number): void {
    const all = this.#all.get(process) ?? [];
    this.#all.set(process, all);
    const last = all.at(-1);
    if (last !== undefined && fromMs <= last.untilMs + togetherMs) last.untilMs = Math.max(last.untilMs, untilMs);
    else all.push({ fromMs, untilMs });
  }

  /** When everything is as it should be that a trouble up to `sinceMs` may have changed; `Infinity` if that is not known. */
  recoveredAtMs(process: number, sinceMs: number): number {
    const all = this.#all.get(process) ?? [];
    const { untilMs = -Infinity, fromMs = -Infinity } = all.at(-1) ?? {};
    const isOne = fromMs - (all.at(-2)?.untilMs ?? -Infinity) > recovery.afterMoreMs;
    return Math.max(sinceMs, untilMs) + (isOne ? recovery.afterOneMs : recovery.afterMoreMs);
  }

  /** Whether a process has had no trouble for so long that nothing is left of any. */
  isWell(process: number): boolean {
    return this.recoveredAtMs(process, -Infinity) <= this.#nowMs();
  }

  /** Whether it had none since a time, and nothing was left of any then. */
  wasWellSince(process: number, sinceMs: number): boolean {
    const lastMs = this.#all.get(process)?.at(-1)?.untilMs ?? -Infinity;
    return lastMs + recovery.afterMoreMs <= sinceMs;
  }
}
