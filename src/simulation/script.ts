import type { WebSocketConfig } from '../core/settings.js';
import { escapeOf, violationOf } from './escape.js';
import type { HookKind } from './hook-record.js';
import type { LedgerMood } from './outage-ledger.js';
import { PeerProcess } from './peer-process.js';
import { wellBehaved, type Traits } from './traits.js';
import type { Coming, Visitor } from './server.js';
import { World } from './world.js';
import type { Violation } from './promises.js';

const talkBytes = 100;

/** What clients do, and the application with them, that needs no numbers. */
const deeds = Object.freeze({
  keepalive: ({ socket }) => {
    socket.keepalive();
  },
  leave: (visitor, world) => {
    world.leave(visitor);
  },
  vanish: (visitor, world) => {
    world.vanish(visitor);
  },
  sleep: ({ socket }) => {
    socket.fallSilent();
  },
  wake: ({ socket }) => {
    socket.wake();
  },
  reset: ({ socket }) => {
    socket.reset();
  },
  'pause reading': ({ socket, state }) => {
    if (state === 'open') socket.pauseReading();
  },
  'resume reading': ({ socket }) => {
    socket.resumeReading();
  },
  hold: (visitor, world) => {
    world.hold(visitor);
  },
  'let go': ({ letGo }) => {
    letGo?.();
  },
  fail: (visitor, world) => {
    world.fail(visitor, 'for good');
  },
  'report error': (visitor, world) => {
    world.fail(visitor, 'perhaps');
  },
  'request release': (visitor, world) => {
    world.requestRelease(visitor);
  },
}) satisfies Record<string, (visitor: Visitor, world: World) => void>;

/** Something that happens at some time. Clients are named by number; what names one that is not there does nothing. */
export type Step = { readonly atMs: number } & (
  | {
      readonly do: 'connect';
      readonly client: number;
      readonly user: string;
      readonly thread: string;
      readonly traits?: Partial<Traits>;
      readonly openAfterMs?: number;
      /** Which of the user's processes it lives in. @default one of its own */
      readonly process?: number;
    }
  | { readonly do: 'message' | 'send' | 'stream'; readonly client: number; readonly bytes: number }
  | { readonly do: keyof typeof deeds; readonly client: number }
  /** Its process pauses, and with it all that live there. */
  | { readonly do: 'pause'; readonly client: number; readonly forMs: number }
  | { readonly do: 'talk'; readonly client: number; readonly everyMs: number; readonly forMs: number }
  /** The page of a connection that is held says goodbye and comes back. */
  | { readonly do: 'reload'; readonly client: number; readonly afterMs: number }
  | { readonly do: 'long message'; readonly client: number; readonly bytes: number; readonly overMs: number }
  | {
      /** Two clients keep taking a thread from each other. */
      readonly do: 'fight';
      readonly user: string;
      readonly thread: string;
      readonly times: number;
      readonly everyMs: number;
    }
  | { readonly do: 'hook'; readonly client: number; readonly kind: HookKind }
  | { readonly do: 'clean up'; readonly user: string; readonly evict?: number; readonly keep?: number }
  | { readonly do: 'limit'; readonly user: string; readonly limit: number }
  | { readonly do: 'stall'; readonly forMs: number }
  | { readonly do: 'leap wall clock'; readonly byMs: number }
  | { readonly do: 'background cleanup' | 'stop' }
  | { readonly do: 'ledger'; readonly mood: LedgerMood }
);

/** A step of one client. */
type ClientStep = Extract<Step, { readonly client: number }>;

/** A world and what happens in it; plain JSON, so that it can be kept, cut down and run again. */
export interface Script {
  readonly seed: number;
  readonly config: Partial<WebSocketConfig>;
  /** Whether there is a quota ledger. */
  readonly hasLedger: boolean;
  readonly steps: readonly Step[];
}

/**
 * Runs a script to its end, or until a promise is broken. An exception out of the core is a broken promise as well.
 * @returns the first one broken, or `null`
 * @throws ConfigurationError for a configuration that is none
 */
export async function runScript({ seed, config, hasLedger, steps }: Script): Promise<Violation | null> {
  const world = new World({
    seed,
    config,
    hasLedger,
  });
  const escape = await escapeOf(async (hasEscaped) => {
    const stage = new Stage(world);
    for (const step of [...steps].sort((a, b) => a.atMs - b.atMs)) {
      await world.runUntil(step.atMs);
      if (world.violation !== null || hasEscaped()) return;
      stage.perform(step);
    }
    world.ledger?.setMood('well');
    await world.end();
  });
  return escape === null ? world.violation : violationOf(escape, world.time.now());
}

/** Who is who in a script. */
class Stage {
  readonly #world: World;
  readonly #clients = new Map<number, Visitor>();
  /** How each of them comes in. */
  readonly #coming = new Map<number, Coming>();
  /** Those that clients share, by user and number. */
  readonly #processes = new Map<string, PeerProcess>();

  constructor(world: World) {
    this.#world = world;
  }

  perform(step: Step): void {
    const world = this.#world;
    switch (step.do) {
      case 'connect':
        this.#connect(step);
        return;
      case 'clean up': {
        const { user, evict, keep } = step;
        void world.cleanUp(user, { ...(evict !== undefined && { evict }), ...(keep !== undefined && { keep }) });
        return;
      }
      case 'limit':
        world.setLimit(step.user, step.limit);
        return;
      case 'stall':
        world.stall(step.forMs);
        return;
      case 'leap wall clock':
        world.time.leapWall(step.byMs);
        return;
      case 'background cleanup':
        void world.mooring.backgroundCleanup.runCycle();
        return;
      case 'stop':
        world.stop();
        return;
      case 'fight':
        this.#fight(step);
        return;
      case 'ledger':
        this.#world.ledger?.setMood(step.mood);
        return;
      default: {
        const visitor = this.#clients.get(step.client);
        if (visitor !== undefined) this.#with(visitor, step);
      }
    }
  }

  #connect({ client, user, thread, traits, openAfterMs, process }: Step & { do: 'connect' }): void {
    if (this.#clients.has(client)) return;
    const coming: Coming = {
      traits: { ...wellBehaved, ...traits },
      process: this.#processOf(user, process),
      ...(openAfterMs !== undefined && { openAfterMs }),
    };
    this.#coming.set(client, coming);
    this.#clients.set(client, this.#world.arrive({ userId: user, threadId: thread }, coming));
  }

  #processOf(user: string, number: number | undefined): PeerProcess {
    const { time, now } = this.#world;
    const name = `${user} ${String(number)}`;
    const process = this.#processes.get(name) ?? new PeerProcess(time, now);
    if (number !== undefined) this.#processes.set(name, process);
    return process;
  }

  #talk(visitor: Visitor, { everyMs, forMs }: Step & { do: 'talk' }): void {
    const { time } = this.#world;
    const endsAtMs = time.now() + forMs;
    time.recur(0, () => {
      if (visitor.socket.isOver || time.now() > endsAtMs) return null;
      visitor.socket.message(talkBytes);
      return Math.max(1, everyMs);
    });
  }

  #reload(visitor: Visitor, { client, afterMs }: Step & { do: 'reload' }): void {
    const world = this.#world;
    if (visitor.state !== 'open') return;
    world.hold(visitor);
    world.leave(visitor);
    world.time.schedule(afterMs, () => {
      if (world.isEnding) return;
      const next = world.arrive(visitor.fields, this.#coming.get(client) ?? { traits: visitor.socket.traits });
      next.letGo = () => {
        visitor.letGo?.();
        next.letGo = null;
      };
      this.#clients.set(client, next);
    });
  }

  #fight({ user, thread, times, everyMs }: Step & { do: 'fight' }): void {
    for (let time = 0; time < times; time++)
      this.#world.time.schedule(time * everyMs, () => {
        if (!this.#world.isEnding) this.#world.arrive({ userId: user, threadId: thread }, { traits: wellBehaved });
      });
  }

  #with(visitor: Visitor, step: ClientStep): void {
    const { socket } = visitor;
    switch (step.do) {
      case 'connect':
        return;
      case 'message':
        socket.message(step.bytes);
        return;
      case 'long message':
        socket.longMessage({ parts: 10, partBytes: step.bytes / 10, everyMs: step.overMs / 10 });
        return;
      case 'send':
        socket.send(step.bytes);
        return;
      case 'pause':
        this.#coming.get(step.client)?.process?.pause(step.forMs);
        return;
      case 'talk':
        this.#talk(visitor, step);
        return;
      case 'stream':
        for (let part = 0; part < 10; part++)
          this.#world.time.schedule(part * 1_000, () => {
            socket.send(step.bytes);
          });
        return;
      case 'reload':
        this.#reload(visitor, step);
        return;
      case 'hook':
        this.#world.onRelease(visitor, step.kind);
        return;
      default:
        deeds[step.do](visitor, this.#world);
    }
  }
}
