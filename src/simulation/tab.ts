import { shouldReconnect } from '../client/should-reconnect.js';
import type { Chance } from './chance.js';
import { forever } from './forever.js';
import type { PeerProcess } from './peer-process.js';
import type { Population } from './population.js';
import type { SimulatedClient, SimulatedServer } from './server.js';
import type { SimulatedSocket } from './socket.js';
import type { Traits } from './traits.js';

/** The user of a tab. */
interface TabUser {
  readonly server: SimulatedServer;
  readonly chance: Chance;
  readonly userId: string;
  readonly population: Population;
  readonly isHostile: boolean;
  /** A thread id that this user has not used. */
  newThread(): string;
  /** Called when the tab is closed. */
  forget(tab: Tab): void;
}

/** What does not change while a tab is open. */
interface TabOptions {
  readonly traits: Traits;
  readonly sendsKeepalives: boolean;
  readonly hearsBroadcasts: boolean;
  /** Its process, if that ever pauses. */
  readonly process: PeerProcess | null;
  /** How often its client sends a message by itself, as agents do; `null`: only its user does. */
  readonly talkEveryMs: number | null;
  /** The part of such connections that die silently within an hour. */
  readonly deathRatio: number;
}

const hourMs = 3_600_000;
const messageBytes = 120;
const tokenBytes = 60;

/** How long a user waits on average before using a tab whose connection was closed for lack of use. */
const nextUseMs = 600_000;

/**
 * A tab with one conversation, from when it is opened until it is closed. It connects, sends keepalives and messages,
 * is abandoned, loses its connection and reconnects, as its client library and its user do.
 */
export class Tab {
  readonly #user: TabUser;
  readonly #options: TabOptions;
  /** What the network does to it, whatever else is drawn. */
  readonly #networkChance: Chance;
  #thread: string;
  #client: SimulatedClient | null = null;
  /** Changes with each connection: what was planned for an earlier one does not happen. */
  #generation = 0;
  #isOpen = true;
  #closesAtMs = forever;
  #isAbandoned = false;
  /** How many attempts to connect have failed since the last that worked. */
  #attempts = 0;

  constructor(user: TabUser, options: TabOptions) {
    this.#user = user;
    this.#options = options;
    this.#networkChance = user.chance.fork();
    this.#thread = user.newThread();
  }

  /** Opens it, and closes it after this long. */
  open(forMs: number): void {
    const { server, chance, population } = this.#user;
    this.#closesAtMs = server.time.now() + forMs;
    server.time.schedule(forMs, () => this.#close());
    const abandonedAfterMs = untilHit(population.abandonmentRatio, chance);
    if (abandonedAfterMs < forMs)
      server.time.schedule(abandonedAfterMs, () => {
        this.#isAbandoned = true;
      });
    this.#connect();
  }

  /** The network to the server is cut, and neither end is told. The client notices some time later. */
  cutOff(): void {
    if (this.#client === null) return;
    this.#user.server.vanish(this.#client);
    this.#reconnectAfterLoss();
  }

  /** The connection is reset. */
  reset(): void {
    if (this.#client?.state !== 'open') return;
    this.#client.socket.reset();
    this.#reconnectAfterLoss();
  }

  #reconnectAfterLoss(): void {
    const { chance, population } = this.#user;
    this.#disconnected();
    const delayMs = chance.between(population.reconnectMs.min, population.reconnectMs.max);
    if (chance.is(population.newThreadRatio)) this.#thread = this.#user.newThread();
    this.#reconnectIn(delayMs);
  }

  #connect(): void {
    const { process, traits } = this.#options;
    if (process?.isPaused === true) {
      const generation = this.#generation;
      process.run(() => {
        if (generation === this.#generation && this.#client === null) this.#connect();
      });
      return;
    }
    if (!this.#isOpen || this.#user.server.isEnding) return;
    this.#generation += 1;
    const generation = this.#generation;
    const { server, userId } = this.#user;
    server.wanted += 1;
    this.#client = server.connect(
      { userId, threadId: this.#thread },
      {
        traits,
        process,
        chance: this.#networkChance,
        onOpen: (client) => {
          if (generation === this.#generation) this.#connected(client);
        },
        onEnd: (code, reason) => {
          if (generation === this.#generation) this.#ended(code, reason);
        },
      },
    );
  }

  #connected(client: SimulatedClient): void {
    const { server, chance, population, isHostile } = this.#user;
    const { sendsKeepalives, hearsBroadcasts, talkEveryMs, deathRatio } = this.#options;
    const { minMs, maxMs } = population.keepalive;
    this.#client = client;
    this.#attempts = 0;
    if (sendsKeepalives)
      this.#repeat(client, { untilNextMs: () => chance.between(minMs, maxMs), act: () => client.socket.keepalive() });
    if (hearsBroadcasts) this.#broadcast(client.socket, population.broadcast.everyMs);
    this.#repeat(client, {
      untilNextMs: () => chance.waitFor(population.messageEveryMs),
      act: () => this.#use(client),
    });
    if (talkEveryMs !== null)
      server.time.recur(talkEveryMs, () => {
        if (this.#client !== client) return null;
        client.socket.message(messageBytes);
        return this.#withinLife(talkEveryMs);
      });
    this.#after(untilHit(deathRatio, chance), () => this.cutOff());
    if (isHostile && chance.is(population.muteRatio)) this.#playDead(client);
  }

  /** It stays open and answers nothing; some time later its user goes on with another connection. */
  #playDead(client: SimulatedClient): void {
    client.socket.fallSilent();
    this.#after(this.#user.chance.waitFor(this.#user.population.muteMs), () => this.cutOff());
  }

  /** Its user uses it, unless it is abandoned. */
  #use(client: SimulatedClient): void {
    if (this.#isAbandoned) return;
    client.socket.inPeer(() => {
      if (this.#client === client) this.#say(client);
    });
  }

  /** The user says something. The application answers, sometimes with a run that streams. */
  #say(client: SimulatedClient): void {
    const { server, chance, population } = this.#user;
    const { run } = population;
    client.socket.message(messageBytes);
    if (!chance.is(run.ratio) || client.endHold !== null) {
      server.time.schedule(client.socket.traits.roundTripMs, () => client.socket.send(messageBytes));
      return;
    }
    const runMs = chance.logUniform(run.minMs, run.maxMs);
    const endsAtMs = server.time.now() + runMs;
    server.hold(client);
    const reloadedAfterMs = untilHit(population.reload.ratio, chance);
    if (reloadedAfterMs < runMs) this.#after(reloadedAfterMs, () => this.#reload(client));
    const token = (): number | null => {
      if (client.socket.isOver || server.time.now() >= endsAtMs) {
        client.endHold?.();
        return null;
      }
      client.socket.send(tokenBytes);
      return run.tokenEveryMs;
    };
    server.time.recur(token(), token);
  }

  /** The page is reloaded: it closes its connection, and connects again with the same thread. */
  #reload(client: SimulatedClient): void {
    const { server, chance, population } = this.#user;
    server.leave(client);
    this.#disconnected();
    this.#reconnectIn(chance.between(population.reload.minMs, population.reload.maxMs));
  }

  /** The application sends to everybody. It does not know who is still there. */
  #broadcast(socket: SimulatedSocket, everyMs: number): void {
    this.#user.server.time.recur(everyMs, () => {
      if (socket.isOver) return null;
      socket.send(tokenBytes);
      return everyMs;
    });
  }

  /** The server closed its connection, or refused it. */
  #ended(code: number, reason: string): void {
    this.#disconnected();
    const { chance, population, isHostile } = this.#user;
    if (isHostile) {
      this.#reconnectIn(chance.between(100, 2_000));
      return;
    }
    if (code === 1006 || code === 1001) {
      this.#reconnectIn(chance.between(population.reconnectMs.min, population.reconnectMs.max));
      return;
    }
    const { retry, delayMs } = shouldReconnect({ code, reason }, (this.#attempts += 1), chance.next);
    if (retry) this.#reconnectIn(Math.max(1_000, delayMs));
    else if (!this.#isAbandoned) this.#reconnectIn(chance.waitFor(nextUseMs));
  }

  #reconnectIn(delayMs: number): void {
    const generation = this.#generation;
    this.#user.server.time.schedule(delayMs, () => {
      if (generation === this.#generation && this.#client === null) this.#connect();
    });
  }

  #close(): void {
    const { server, chance } = this.#user;
    this.#isOpen = false;
    const client = this.#client;
    this.#disconnected();
    this.#user.forget(this);
    if (client === null) return;
    // Some laptops are just shut.
    if (chance.is(0.1)) server.vanish(client);
    else server.leave(client);
  }

  #disconnected(): void {
    this.#client = null;
    this.#generation += 1;
  }

  /** Repeats something while this is its connection. */
  #repeat(client: SimulatedClient, { untilNextMs, act }: { untilNextMs: () => number; act: () => void }): void {
    this.#user.server.time.recur(this.#withinLife(untilNextMs()), () => {
      if (this.#client !== client) return null;
      act();
      return this.#withinLife(untilNextMs());
    });
  }

  #after(delayMs: number, act: () => void): void {
    const generation = this.#generation;
    if (this.#withinLife(delayMs) === null) return;
    this.#user.server.time.schedule(delayMs, () => {
      if (generation === this.#generation) act();
    });
  }

  /** `null` if the tab is closed by then: a planned event would keep the connection in memory for days. */
  #withinLife(delayMs: number): number | null {
    return this.#user.server.time.now() + delayMs < this.#closesAtMs ? delayMs : null;
  }
}

/** How long until an event that happens to this part of all within an hour. */
function untilHit(ratio: number, chance: Chance): number {
  return chance.waitFor(hourMs / -Math.log(1 - ratio));
}
