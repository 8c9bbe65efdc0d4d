import type { WebSocketManager } from '../../core/managers/manager.js';
import type { Report } from '../promises.js';
import type { SimulatedSocket } from '../socket.js';
import type { JudgedWorld } from '../judged-world.js';
import type { HookRecord } from '../hook-record.js';

/** How often it is looked for what is due. */
const lookEveryMs = 250;

/** Something that must be so by then, of the time in which the server ran. */
interface Due {
  readonly fromMs: number;
  readonly afterMs: number;
  readonly check: () => void;
}

/** Judges what follows a release, or a takeover: the goodbye, the end of the socket, the application's hooks. */
export class AftermathJudge {
  readonly #world: JudgedWorld;
  readonly #report: Report;
  /** Hooks of managers that hold a slot, by key. */
  readonly #hooks = new Map<string, HookRecord[]>();
  /** What must be so once the call is over in which it began. */
  readonly #atOnce: (() => void)[] = [];
  /** What must be so later, by how long after; each list in the order of its beginning. */
  readonly #later = new Map<number, Due[]>();
  #lookAtMs = 0;
  /** Sockets that have been told to go. */
  readonly #going = new Set<SimulatedSocket>();

  constructor(world: JudgedWorld, report: Report) {
    this.#world = world;
    this.#report = report;
    const { events } = world.mooring;
    events.on('manager.released', ({ key }) => {
      this.#mustGo(key);
      for (const hook of this.#hooks.get(key) ?? []) this.#mustRun(key, hook);
      this.#hooks.delete(key);
    });
    events.on('connection.replaced', ({ key }) => {
      this.#mustGo(key);
    });
  }

  /** One that comes after the release runs at once. */
  hookRegistered(manager: WebSocketManager, hook: HookRecord): void {
    const { key } = manager;
    if (manager.state === 'released') this.#mustRun(key, hook);
    else this.#hooks.set(key, [...(this.#hooks.get(key) ?? []), hook]);
  }

  /** How many sockets have been told to go and are still there. */
  get openSockets(): number {
    return [...this.#going].filter(isStillOpen).length;
  }

  step(): void {
    // Most steps are about nothing of this, and there are millions of them.
    if (this.#atOnce.length > 0) for (const check of this.#atOnce.splice(0)) check();
    if (this.#world.now() < this.#lookAtMs) return;
    this.#lookAtMs = this.#world.now() + lookEveryMs;
    for (const dues of this.#later.values()) this.#checkDue(dues);
  }

  #mustGo(key: string): void {
    const socket = this.#world.socketOf(key);
    if (socket === null) return;
    this.#atOnce.push(() => {
      if (!socket.isOver) this.#report('goodbye is said', `the socket of ${key} was told nothing`);
    });
    this.#going.add(socket);
    this.#after(this.#world.config.closeGraceMs, () => {
      this.#going.delete(socket);
      if (isStillOpen(socket)) this.#report('goodbye is said', `the socket of ${key} is still there`);
    });
  }

  #mustRun(key: string, hook: HookRecord): void {
    this.#atOnce.push(() => {
      if (hook.calls !== 1) this.#report('hooks run', `a hook of ${key} ran ${hook.calls} times`);
    });
    this.#after(this.#world.config.hookTimeoutMs, () => {
      if (hook.calls > 1) this.#report('hooks run', `a hook of ${key} ran ${hook.calls} times`);
      if (!hook.hasEnded && hook.signal?.aborted !== true)
        this.#report('hooks run', `a hook of ${key} was not told that its time is up`);
    });
  }

  #after(afterMs: number, check: () => void): void {
    const dues = this.#later.get(afterMs) ?? [];
    this.#later.set(afterMs, dues);
    dues.push({ fromMs: this.#world.now(), afterMs, check });
  }

  #checkDue(dues: Due[]): void {
    for (let first = dues[0]; first !== undefined; first = dues[0]) {
      const { fromMs, afterMs, check } = first;
      if (this.#world.now() <= fromMs + afterMs + this.#world.slackSince(fromMs)) return;
      dues.shift();
      check();
    }
  }
}

/** One whose `terminate` throws cannot be closed by anybody. */
function isStillOpen({ isClosed, traits }: SimulatedSocket): boolean {
  return !isClosed && !traits.throwsFrom.includes('terminate');
}
