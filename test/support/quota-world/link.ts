import type { Reply } from '../../../src/redis/replies.js';
import type { ScriptCall, ScriptClient } from '../../../src/redis/script-client.js';
import type { SimulatedTime } from '../../../src/testing/index.js';
import type { ProcessTime } from './process-time.js';
import type { WorldRedis } from './server.js';

/** What becomes of a call on its way. */
export const callFates = ['no reply', 'late reply', 'twice'] as const;
/** `lost`: it does not arrive, while others over the same connection do, as where large packets are dropped. */
export type CallFate = (typeof callFates)[number] | 'lost';

/** A fate that waits for the next calls of a script. */
interface ArmedFate {
  readonly script: string;
  readonly fate: CallFate;
  readonly byMs: number;
  left: number;
}

/** A call, until it is answered. */
interface Request {
  readonly call: ScriptCall;
  readonly isWanted: () => boolean;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
  isOver: boolean;
}

const wayMs = 1;
const connectMs = 5;
/** After a cut, what was lost is sent again. */
const resendMs = 20;

/** One direction of a connection: what is sent arrives in its order, and later while it is held up. */
class Lane {
  readonly #world: SimulatedTime;
  readonly #heldUntilMs: () => number;
  readonly #queue: { readonly dueAtMs: number; readonly act: () => void }[] = [];
  #lastDueMs = 0;

  constructor(world: SimulatedTime, heldUntilMs: () => number) {
    this.#world = world;
    this.#heldUntilMs = heldUntilMs;
  }

  send(afterMs: number, act: () => void): void {
    const dueAtMs = Math.max(this.#world.now() + afterMs, this.#lastDueMs);
    this.#lastDueMs = dueAtMs;
    this.#queue.push({ dueAtMs, act });
    this.#arm(dueAtMs);
  }

  drop(): void {
    this.#queue.length = 0;
  }

  #arm(atMs: number): void {
    this.#world.setTimer(() => {
      this.#pump();
    }, atMs - this.#world.now());
  }

  #pump(): void {
    for (let [first] = this.#queue; first !== undefined; [first] = this.#queue) {
      const atMs = Math.max(first.dueAtMs, this.#heldUntilMs());
      if (atMs > this.#world.now()) {
        this.#arm(atMs);
        return;
      }
      this.#queue.shift();
      first.act();
    }
  }
}

/** A connection to Redis. One that was left may still deliver what was sent over it. */
interface Line {
  readonly there: Lane;
  readonly back: Lane;
  readonly open: Set<Request>;
  isLeft: boolean;
}

interface LinkParts {
  readonly world: SimulatedTime;
  readonly time: ProcessTime;
  readonly server: WorldRedis;
  /** Of the process. */
  readonly id: number;
  /** Whether its calls are told that their connection was left. Otherwise they never hear of it. */
  readonly isToldOfLoss: boolean;
  readonly onReady: () => void;
  /** A call was not answered soon. */
  readonly onTrouble: (fromMs: number, untilMs: number) => void;
}

/** What a process has instead of a client of Redis. */
export class Link implements ScriptClient {
  trouble: unknown = null;
  cutUntilMs = 0;
  /** Until when nothing gets to Redis, while its replies get here. */
  stalledUntilMs = 0;
  readonly #parts: LinkParts;
  readonly #fates: ArmedFate[] = [];
  #line: Line;
  #isReady = false;
  #isClosed = false;
  #waiting: Request[] = [];
  #connecting = 0;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#line = this.#newLine();
    this.#connect([]);
  }

  get isCut(): boolean {
    return this.cutUntilMs > this.#parts.world.now();
  }

  send(call: ScriptCall, isWanted: () => boolean): Promise<Reply> {
    const { server, time, id, world } = this.#parts;
    const isHeldUp = Math.max(this.cutUntilMs, this.stalledUntilMs) > world.now();
    if (this.#isReady && !isHeldUp && !time.isOver && server.isIdle(call)) {
      return Promise.resolve(server.run(call, id));
    }
    return new Promise((resolve, reject) => {
      const request: Request = { call, isWanted, resolve, reject, isOver: false };
      if (this.#isReady) this.#send(request);
      else this.#waiting.push(request);
    });
  }

  /** The next calls of this script, or of any, have this fate. */
  arm(script: string, fate: CallFate, { byMs, count }: { readonly byMs: number; readonly count: number }): void {
    this.#fates.push({ script, fate, byMs, left: count });
  }

  /** No call has a fate any longer. */
  disarm(): void {
    this.#fates.length = 0;
  }

  /** The ledger leaves the connection. */
  reconnect(): void {
    const { open } = this.#leave();
    this.#waiting = [];
    if (this.#parts.isToldOfLoss) for (const request of open) fail(request, 'The client is closed');
    this.#connect([]);
  }

  /**
   * The connection breaks, and the client makes another.
   * @param isLost whether what has not arrived yet never does @param isResent whether the client sends all again that was
   * not answered
   */
  break({ isLost, isResent }: { readonly isLost: boolean; readonly isResent: boolean }): void {
    if (this.#isClosed || !this.#isReady) return;
    const { open, there } = this.#leave();
    if (isLost) there.drop();
    this.trouble = new Error('Socket closed unexpectedly');
    const told = isResent ? [] : [...open];
    this.#parts.time.deliver(() => {
      for (const request of told) fail(request, 'Socket closed unexpectedly');
    });
    this.#connect(isResent ? [...open] : []);
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#leave();
    return Promise.resolve();
  }

  #newLine(): Line {
    const { world } = this.#parts;
    const cutUntilMs = () => (this.cutUntilMs > 0 ? this.cutUntilMs + resendMs : 0);
    const there = new Lane(world, () => Math.max(cutUntilMs(), this.stalledUntilMs));
    return { there, back: new Lane(world, cutUntilMs), open: new Set(), isLeft: false };
  }

  #leave(): Line {
    const left = this.#line;
    left.isLeft = true;
    this.#isReady = false;
    this.#line = this.#newLine();
    return left;
  }

  #connect(resent: readonly Request[]): void {
    const { world, time } = this.#parts;
    const attempt = (this.#connecting += 1);
    const isOver = (): boolean => this.#isClosed || time.isOver || attempt !== this.#connecting;
    const ready = (): void => {
      if (isOver()) return;
      this.#isReady = true;
      this.trouble = null;
      const unsent = this.#waiting.splice(0).filter(({ isWanted }) => isWanted());
      for (const request of [...resent, ...unsent]) this.#send(request);
      this.#parts.onReady();
    };
    const tryIt = (): void => {
      if (isOver()) return;
      if (this.isCut) world.setTimer(tryIt, this.cutUntilMs - world.now() + connectMs);
      else time.deliver(ready);
    };
    world.setTimer(tryIt, connectMs);
  }

  #send(request: Request): void {
    const line = this.#line;
    const { server, world, onTrouble } = this.#parts;
    const armed = server.isOfUsers(request.call) ? this.#takeFate(request.call.name) : undefined;
    const sentAtMs = world.now();
    if (armed !== undefined && armed.fate !== 'twice') onTrouble(sentAtMs, sentAtMs + 300);
    line.open.add(request);
    if (armed?.fate === 'lost') return;
    line.there.send(wayMs, () => {
      if (world.now() - sentAtMs > 200) onTrouble(sentAtMs, world.now());
      server.arrive(() => {
        this.#execute(request, line, armed);
      });
    });
  }

  #execute(request: Request, line: Line, armed: ArmedFate | undefined): void {
    const { server, time, id } = this.#parts;
    const error = server.errorOf(request.call.name);
    let reply: Reply = [];
    for (let times = armed?.fate === 'twice' ? 2 : 1; error === null && times > 0; times -= 1) {
      reply = server.run(request.call, id);
    }
    if (armed?.fate === 'no reply') return;
    const backMs = wayMs + (armed?.fate === 'late reply' ? armed.byMs : 0);
    line.back.send(backMs, () => {
      time.deliver(() => {
        if (line.isLeft || request.isOver) return;
        line.open.delete(request);
        if (error !== null) fail(request, error);
        else {
          request.isOver = true;
          request.resolve(reply);
        }
      });
    });
  }

  #takeFate(script: string): ArmedFate | undefined {
    const armed = this.#fates.find((one) => one.left > 0 && (one.script === 'any' || one.script === script));
    if (armed !== undefined) armed.left -= 1;
    return armed;
  }
}

function fail(request: Request, said: string): void {
  if (request.isOver) return;
  request.isOver = true;
  request.reject(new Error(said));
}
