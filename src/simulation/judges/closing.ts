import type { WebSocketManager } from '../../core/managers/manager.js';
import type { HookRecord } from '../hook-record.js';
import type { Report } from '../promises.js';
import type { SimulatedSocket } from '../socket.js';
import { Judge, type JudgedWorld } from './judge.js';

const lookEveryMs = 250;

/** A check that is made some time after a release. */
interface Due {
  /** When the release was, in milliseconds in which the server ran. */
  readonly fromMs: number;
  readonly check: () => void;
}

/** Judges what follows a release or a takeover: the close frame, the end of the socket, the application's hooks. */
export class ClosingJudge extends Judge {
  /** Hooks of managers that hold a slot, by key. */
  readonly #hooks = new Map<string, HookRecord[]>();
  /** Checks for the end of the current step. */
  readonly #atOnce: (() => void)[] = [];
  /** Later checks, by how many milliseconds later; each list in the order of the releases. */
  readonly #later = new Map<number, Due[]>();
  /** Sockets of released managers and replaced connections. */
  readonly #closing = new Set<SimulatedSocket>();

  constructor(world: JudgedWorld, report: Report) {
    super(world, report);
    const { events } = world.mooring;
    events.on('manager.released', ({ key }) => {
      this.#mustClose(key);
      for (const hook of this.#hooks.get(key) ?? []) this.#mustRun(key, hook);
      this.#hooks.delete(key);
    });
    events.on('connection.replaced', ({ key }) => this.#mustClose(key));
  }

  /** The application registered a hook. If its manager was released before, the hook runs at once. */
  hookRegistered({ key, state }: WebSocketManager, hook: HookRecord): void {
    if (state === 'released') this.#mustRun(key, hook);
    else this.#hooks.set(key, [...(this.#hooks.get(key) ?? []), hook]);
  }

  /** How many sockets that must close are still open. */
  get openSockets(): number {
    return [...this.#closing].filter(isStillOpen).length;
  }

  step(): void {
    // There are millions of steps, and most of them release nothing.
    if (this.#atOnce.length > 0) for (const check of this.#atOnce.splice(0)) check();
    if (this.isTimeToLook(lookEveryMs)) for (const [afterMs, dues] of this.#later) this.#checkDue(afterMs, dues);
  }

  #mustClose(key: string): void {
    const socket = this.world.socketOf(key);
    if (socket === null) return;
    this.#atOnce.push(() => {
      if (!socket.isOver) this.report('goodbye is said', `the socket of ${key} was told nothing`);
    });
    this.#closing.add(socket);
    this.#after(this.world.config.closeGraceMs, () => {
      this.#closing.delete(socket);
      if (isStillOpen(socket)) this.report('goodbye is said', `the socket of ${key} is still there`);
    });
  }

  #mustRun(key: string, hook: HookRecord): void {
    this.#atOnce.push(() => {
      if (hook.calls !== 1) this.report('hooks run', `a hook of ${key} ran ${hook.calls} times`);
    });
    this.#after(this.world.config.hookTimeoutMs, () => {
      if (hook.calls > 1) this.report('hooks run', `a hook of ${key} ran ${hook.calls} times`);
      if (!hook.hasEnded && hook.signal?.aborted !== true)
        this.report('hooks run', `a hook of ${key} was not told that its time is up`);
    });
  }

  #after(afterMs: number, check: () => void): void {
    const dues = this.#later.get(afterMs) ?? [];
    this.#later.set(afterMs, dues);
    dues.push({ fromMs: this.world.now(), check });
  }

  #checkDue(afterMs: number, dues: Due[]): void {
    for (let first = dues[0]; first !== undefined; first = dues[0]) {
      const { fromMs, check } = first;
      if (this.world.now() <= fromMs + afterMs + this.world.slackSince(fromMs)) return;
      dues.shift();
      check();
    }
  }
}

/** Nobody can close a socket whose `terminate` throws. */
function isStillOpen({ isClosed, traits }: SimulatedSocket): boolean {
  return !isClosed && !traits.throwsFrom.includes('terminate');
}
