import { escapeOf, violationOf } from './escape.js';
import { PeerProcess } from './peer-process.js';
import type { Violation } from './promises.js';
import type { Script, Step, StepName, StepOf } from './script-schema.js';
import type { ConnectOptions, SimulatedClient } from './server.js';
import { wellBehaved } from './traits.js';
import { World } from './world.js';

export type { Script, Step } from './script-schema.js';

const talkBytes = 100;

/** How many parts a stream or a long message has. */
const parts = 10;

/**
 * Runs a script to its end, or until a promise is broken. An exception of the core is a broken promise too.
 * @returns the first broken promise, or `null`
 * @throws ConfigurationError for an invalid configuration
 */
export async function runScript({ seed, config, hasLedger, steps }: Script): Promise<Violation | null> {
  const world = new World({ seed, config, hasLedger });
  const escape = await escapeOf(async (hasEscaped) => {
    const run = new ScriptRun(world);
    for (const step of [...steps].sort((a, b) => a.atMs - b.atMs)) {
      await world.runUntil(step.atMs);
      if (world.violation !== null || hasEscaped()) return;
      run.perform(step);
    }
    world.ledger?.setMood('well');
    await world.end();
  });
  return escape === null ? world.violation : violationOf(escape, world.time.now());
}

/** A world with the clients and processes of a script. */
class ScriptRun {
  readonly world: World;
  readonly clients = new Map<number, SimulatedClient>();
  /** How each client connects. */
  readonly options = new Map<number, ConnectOptions>();
  /** Processes that clients share, by user and number. */
  readonly #processes = new Map<string, PeerProcess>();

  constructor(world: World) {
    this.world = world;
  }

  perform<Name extends StepName>(step: StepOf<Name>): void {
    performers[step.do](step, this);
  }

  connect({ client, user, thread, traits, openAfterMs, process }: StepOf<'connect'>): void {
    if (this.clients.has(client)) return;
    const options: ConnectOptions = {
      traits: { ...wellBehaved, ...traits },
      process: this.#processOf(user, process),
      ...(openAfterMs !== undefined && { openAfterMs }),
    };
    this.options.set(client, options);
    this.clients.set(client, this.world.connect({ userId: user, threadId: thread }, options));
  }

  #processOf(user: string, number: number | undefined): PeerProcess {
    const { time, now } = this.world;
    const name = `${user} ${String(number)}`;
    const process = this.#processes.get(name) ?? new PeerProcess(time, now);
    if (number !== undefined) this.#processes.set(name, process);
    return process;
  }
}

type Performer<Name extends StepName> = (step: StepOf<Name>, run: ScriptRun) => void;

/** What each kind of step does. */
const performers: { readonly [Name in StepName]: Performer<Name> } = {
  connect: (step, run) => run.connect(step),
  message: ofClient(({ socket }, { bytes }) => socket.message(bytes)),
  send: ofClient(({ socket }, { bytes }) => socket.send(bytes)),
  stream: ofClient(({ socket }, { bytes }, { world }) => {
    for (let part = 0; part < parts; part++) world.time.schedule(part * 1_000, () => socket.send(bytes));
  }),
  keepalive: ofClient(({ socket }) => socket.keepalive()),
  leave: ofClient((client, _, { world }) => world.leave(client)),
  vanish: ofClient((client, _, { world }) => world.vanish(client)),
  sleep: ofClient(({ socket }) => socket.fallSilent()),
  wake: ofClient(({ socket }) => socket.wake()),
  reset: ofClient(({ socket }) => socket.reset()),
  hold: ofClient((client, _, { world }) => world.hold(client)),
  'let go': ofClient(({ endHold }) => endHold?.()),
  fail: ofClient((client, _, { world }) => world.fail(client, 'for good')),
  'report error': ofClient((client, _, { world }) => world.fail(client, 'perhaps')),
  'request release': ofClient((client, _, { world }) => world.requestRelease(client)),
  'pause reading': ofClient(({ socket, state }) => {
    if (state === 'open') socket.pauseReading();
  }),
  'resume reading': ofClient(({ socket }) => socket.resumeReading()),
  pause: ofClient((_, { client, forMs }, { options }) => options.get(client)?.process?.pause(forMs)),
  talk: ofClient(({ socket }, { everyMs, forMs }, { world: { time } }) => {
    const endsAtMs = time.now() + forMs;
    time.recur(0, () => {
      if (socket.isOver || time.now() > endsAtMs) return null;
      socket.message(talkBytes);
      return Math.max(1, everyMs);
    });
  }),
  reload: ofClient(reload),
  'long message': ofClient(({ socket }, { bytes, overMs }) =>
    socket.longMessage({ parts, partBytes: bytes / parts, everyMs: overMs / parts }),
  ),
  fight: ({ user, thread, times, everyMs }, { world }) => {
    for (let number = 0; number < times; number++)
      world.time.schedule(number * everyMs, () => {
        if (!world.isEnding) world.connect({ userId: user, threadId: thread }, { traits: wellBehaved });
      });
  },
  hook: ofClient((client, { kind }, { world }) => world.onRelease(client, kind)),
  'clean up': ({ user, evict, keep }, { world }) => {
    void world.cleanUp(user, { ...(evict !== undefined && { evict }), ...(keep !== undefined && { keep }) });
  },
  limit: ({ user, limit }, { world }) => world.setLimit(user, limit),
  stall: ({ forMs }, { world }) => world.stall(forMs),
  'leap wall clock': ({ byMs }, { world }) => world.time.leapWall(byMs),
  'background cleanup': (_, { world }) => void world.mooring.backgroundCleanup.runCycle(),
  stop: (_, { world }) => world.stop(),
  ledger: ({ mood }, { world }) => world.ledger?.setMood(mood),
};

/** A step of one client. If the client is not there, nothing happens. */
function ofClient<S extends Step & { readonly client: number }>(
  act: (client: SimulatedClient, step: S, run: ScriptRun) => void,
): (step: S, run: ScriptRun) => void {
  return (step, run) => {
    const client = run.clients.get(step.client);
    if (client !== undefined) act(client, step, run);
  };
}

function reload(client: SimulatedClient, { client: number, afterMs }: StepOf<'reload'>, run: ScriptRun): void {
  const { world, options, clients } = run;
  if (client.state !== 'open') return;
  world.hold(client);
  world.leave(client);
  world.time.schedule(afterMs, () => {
    if (world.isEnding) return;
    const next = world.connect(client.fields, options.get(number) ?? { traits: client.socket.traits });
    next.endHold = () => {
      client.endHold?.();
      next.endHold = null;
    };
    clients.set(number, next);
  });
}
