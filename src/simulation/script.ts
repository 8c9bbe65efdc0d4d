import type { WebSocketConfig } from '../core/settings.js';
import { escapeOf, violationOf } from './escape.js';
import { OutageLedger, type LedgerMood } from './outage-ledger.js';
import { wellBehaved, type Traits } from './socket.js';
import type { Visitor } from './server.js';
import { World } from './world.js';
import type { Violation } from './invariants.js';

/** What an application's release hook does. */
export type HookKind = 'returns' | 'throws' | 'rejects' | 'takes long' | 'hangs';

/** Something that happens at some time. Clients are named by number; what names one that is not there does nothing. */
export type Step = { readonly atMs: number } & (
  | {
      readonly do: 'connect';
      readonly client: number;
      readonly user: string;
      readonly thread: string;
      readonly traits?: Partial<Traits>;
      readonly openAfterMs?: number;
    }
  | { readonly do: 'message' | 'send' | 'stream'; readonly client: number; readonly bytes: number }
  | {
      readonly do:
        | 'keepalive'
        | 'leave'
        | 'vanish'
        | 'sleep'
        | 'wake'
        | 'reset'
        | 'hold'
        | 'let go'
        | 'fail'
        | 'report error'
        | 'request release';
      readonly client: number;
    }
  | { readonly do: 'hook'; readonly client: number; readonly kind: HookKind }
  | { readonly do: 'clean up'; readonly user: string; readonly evict?: number; readonly keep?: number }
  | { readonly do: 'limit'; readonly user: string; readonly limit: number }
  | { readonly do: 'stall'; readonly forMs: number }
  | { readonly do: 'leap wall clock'; readonly byMs: number }
  | { readonly do: 'background cleanup' }
  | { readonly do: 'ledger'; readonly mood: LedgerMood }
);

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
  let ledger: OutageLedger | undefined;
  const world = new World({
    seed,
    config,
    ...(hasLedger && { ledger: (time, chance) => (ledger = new OutageLedger(time, chance)) }),
  });
  const escape = await escapeOf(async (hasEscaped) => {
    const stage = new Stage(world, ledger);
    for (const step of [...steps].sort((a, b) => a.atMs - b.atMs)) {
      await world.runUntil(step.atMs);
      if (world.violation !== null || hasEscaped()) return;
      stage.perform(step);
    }
    ledger?.setMood('well');
    await world.end();
  });
  return escape === null ? world.violation : violationOf(escape, world.time.now());
}

/** Who is who in a script. */
class Stage {
  readonly #world: World;
  readonly #ledger: OutageLedger | undefined;
  readonly #clients = new Map<number, Visitor>();

  constructor(world: World, ledger: OutageLedger | undefined) {
    this.#world = world;
    this.#ledger = ledger;
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
      case 'ledger':
        this.#ledger?.setMood(step.mood);
        return;
      default: {
        const visitor = this.#clients.get(step.client);
        if (visitor !== undefined) this.#with(visitor, step);
      }
    }
  }

  #connect({ client, user, thread, traits, openAfterMs }: Step & { do: 'connect' }): void {
    if (this.#clients.has(client)) return;
    const visitor = this.#world.arrive(
      { userId: user, threadId: thread },
      { traits: { ...wellBehaved, ...traits }, ...(openAfterMs !== undefined && { openAfterMs }) },
    );
    this.#clients.set(client, visitor);
  }

  #with(visitor: Visitor, step: Step & { client: number }): void {
    const world = this.#world;
    const { socket, manager } = visitor;
    switch (step.do) {
      case 'connect':
        return;
      case 'message':
        socket.message(step.bytes);
        return;
      case 'keepalive':
        socket.keepalive();
        return;
      case 'send':
        socket.send(step.bytes);
        return;
      case 'stream':
        for (let part = 0; part < 10; part++)
          world.time.arrive(part * 1_000, () => {
            socket.send(step.bytes);
          });
        return;
      case 'leave':
        world.leave(visitor);
        return;
      case 'vanish':
        world.vanish(visitor);
        return;
      case 'sleep':
        socket.fallSilent();
        return;
      case 'wake':
        socket.wake();
        return;
      case 'reset':
        socket.reset();
        return;
      case 'hold':
        world.hold(visitor);
        return;
      case 'let go':
        visitor.letGo?.();
        return;
      case 'fail':
        world.fail(visitor, 'for good');
        return;
      case 'report error':
        world.fail(visitor, 'perhaps');
        return;
      case 'request release':
        if (manager !== null) world.mooring.factory.cleanupManager(manager.key);
        return;
      case 'hook':
        world.onRelease(visitor, step.kind);
        return;
    }
  }
}
