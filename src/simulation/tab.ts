import { shouldReconnect } from '../client/should-reconnect.js';
import type { Chance } from './chance.js';
import { forever } from './forever.js';
import type { PeerProcess } from './peer-process.js';
import type { Population } from './population.js';
import type { SimulatedSocket } from './socket.js';
import type { Traits } from './traits.js';
import type { SimulatedServer, Visitor } from './server.js';

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
  closed(tab: Tab): void;
}

/** What does not change while a tab lives. */
interface Habits {
  readonly traits: Traits;
  readonly sendsKeepalives: boolean;
  readonly hearsBroadcasts: boolean;
  /** The process it lives in, if that ever pauses. */
  readonly process: PeerProcess | null;
  /** How often its client sends a message by itself, as agents do; `null`: only its user does. */
  readonly talkEveryMs: number | null;
  /** The part of such connections that die silently within an hour. */
  readonly deathRatio: number;
}

const hourMs = 3_600_000;
const messageBytes = 120;
const tokenBytes = 60;

/** How long a user waits before clicking on what was closed for lack of use. */
const nextUseMs = 600_000;

/**
 * A tab with one conversation, from when it is opened until it is closed: it connects, sends keepalives and messages,
 * is abandoned, dies without a word and comes back, as its client library and its user do.
 */
export class Tab {
  readonly #person: TabUser;
  readonly #habits: Habits;
  /** What the network does to it, whatever else is drawn. */
  readonly #networkChance: Chance;
  #thread: string;
  #visitor: Visitor | null = null;
  /** One for each connection: what was planned for an earlier one does not happen. */
  #generation = 0;
  #isOpen = true;
  #closesAtMs = forever;
  #isAbandoned = false;
  #attempts = 0;

  constructor(person: TabUser, habits: Habits) {
    this.#person = person;
    this.#habits = habits;
    this.#networkChance = person.chance.fork();
    this.#thread = person.newThread();
  }

  /** Opens it, and closes it after so long. */
  open(forMs: number): void {
    const { server, chance, population } = this.#person;
    this.#closesAtMs = server.time.now() + forMs;
    server.time.schedule(forMs, () => {
      this.#close();
    });
    const abandonedAfterMs = untilHit(population.abandonmentRatio, chance);
    if (abandonedAfterMs < forMs)
      server.time.schedule(abandonedAfterMs, () => {
        this.#isAbandoned = true;
      });
    this.#connect();
  }

  /** The way to the server is cut; neither side is told. The client notices some time later. */
  cutOff(): void {
    const { server, chance, population } = this.#person;
    if (this.#visitor === null) return;
    server.vanish(this.#visitor);
    this.#disconnected();
    this.#reconnectIn(chance.between(population.reconnectMs.min, population.reconnectMs.max), true);
  }

  /** The server's end, or something between, resets the connection. */
  reset(): void {
    const { chance, population } = this.#person;
    if (this.#visitor?.state !== 'open') return;
    this.#visitor.socket.reset();
    this.#disconnected();
    this.#reconnectIn(chance.between(population.reconnectMs.min, population.reconnectMs.max), true);
  }

  #connect(): void {
    const { process } = this.#habits;
    if (process?.isPaused === true) {
      const generation = this.#generation;
      process.run(() => {
        if (generation === this.#generation && this.#visitor === null) this.#connect();
      });
      return;
    }
    if (!this.#isOpen || this.#person.server.isEnding) return;
    this.#generation += 1;
    const generation = this.#generation;
    const { server, userId } = this.#person;
    server.wanted += 1;
    this.#visitor = server.arrive(
      { userId, threadId: this.#thread },
      {
        traits: this.#habits.traits,
        process: this.#habits.process,
        chance: this.#networkChance,
        whenOpen: (visitor) => {
          if (generation === this.#generation) this.#connected(visitor);
        },
        whenEnded: (code, reason) => {
          if (generation === this.#generation) this.#ended(code, reason);
        },
      },
    );
  }

  #connected(visitor: Visitor): void {
    const { server, chance, population } = this.#person;
    const { time } = server;
    this.#visitor = visitor;
    this.#attempts = 0;
    if (this.#habits.sendsKeepalives) time.recur(this.#untilKeepaliveMs(), () => this.#keepAlive(visitor));
    if (this.#habits.hearsBroadcasts) this.#broadcast(visitor.socket, population.broadcast.everyMs);
    time.recur(this.#untilMessageMs(), () => this.#use(visitor));
    const { talkEveryMs } = this.#habits;
    if (talkEveryMs !== null) time.recur(talkEveryMs, () => this.#talk(visitor, talkEveryMs));
    this.#after(untilHit(this.#habits.deathRatio, chance), () => {
      this.cutOff();
    });
    if (this.#person.isHostile && chance.is(population.muteRatio)) this.#playDead(visitor);
  }

  /** It stays open and answers nothing; some time later its user goes on with another connection. */
  #playDead(visitor: Visitor): void {
    visitor.socket.fallSilent();
    this.#after(this.#person.chance.waitFor(this.#person.population.muteMs), () => {
      this.cutOff();
    });
  }

  /** Its client library sends a keepalive. @returns when the next is due; `null` once this is not its connection */
  #keepAlive(visitor: Visitor): number | null {
    if (this.#visitor !== visitor) return null;
    visitor.socket.keepalive();
    return this.#untilKeepaliveMs();
  }

  #untilKeepaliveMs(): number | null {
    const { chance, population } = this.#person;
    return this.#withinLife(chance.between(population.keepalive.minMs, population.keepalive.maxMs));
  }

  /** Its user uses it, unless it is abandoned. @returns when next; `null` once this is not its connection */
  #use(visitor: Visitor): number | null {
    if (this.#visitor !== visitor) return null;
    if (!this.#isAbandoned)
      visitor.socket.inPeer(() => {
        if (this.#visitor === visitor) this.#say(visitor);
      });
    return this.#untilMessageMs();
  }

  #untilMessageMs(): number | null {
    const { chance, population } = this.#person;
    return this.#withinLife(chance.waitFor(population.messageEveryMs));
  }

  /** Its client says something. @returns when next; `null` once this is not its connection */
  #talk(visitor: Visitor, everyMs: number): number | null {
    if (this.#visitor !== visitor) return null;
    visitor.socket.message(messageBytes);
    return this.#withinLife(everyMs);
  }

  /** The user says something; the application answers, sometimes with a run that streams. */
  #say(visitor: Visitor): void {
    const { server, chance, population } = this.#person;
    const { run } = population;
    visitor.socket.message(messageBytes);
    if (!chance.is(run.ratio) || visitor.letGo !== null) {
      server.time.schedule(visitor.socket.traits.roundTripMs, () => {
        visitor.socket.send(messageBytes);
      });
      return;
    }
    const runMs = chance.logUniform(run.minMs, run.maxMs);
    const endsAtMs = server.time.now() + runMs;
    server.hold(visitor);
    const reloadedAfterMs = untilHit(population.reload.ratio, chance);
    if (reloadedAfterMs < runMs)
      this.#after(reloadedAfterMs, () => {
        this.#reload(visitor);
      });
    const token = (): number | null => {
      if (visitor.socket.isOver || server.time.now() >= endsAtMs) {
        visitor.letGo?.();
        return null;
      }
      visitor.socket.send(tokenBytes);
      return run.tokenEveryMs;
    };
    server.time.recur(token(), token);
  }

  /** The page is loaded anew: it goes, and comes back with the same thread. */
  #reload(visitor: Visitor): void {
    const { server, chance, population } = this.#person;
    server.leave(visitor);
    this.#disconnected();
    this.#reconnectIn(chance.between(population.reload.minMs, population.reload.maxMs));
  }

  /** The application tells everybody something. It does not know who is still there. */
  #broadcast(socket: SimulatedSocket, everyMs: number): void {
    this.#person.server.time.recur(everyMs, () => {
      if (socket.isOver) return null;
      socket.send(tokenBytes);
      return everyMs;
    });
  }

  /** The server closed it, or would not let it in. */
  #ended(code: number, reason: string): void {
    this.#disconnected();
    const { chance, population, isHostile } = this.#person;
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

  #reconnectIn(delayMs: number, mayStartAnew = false): void {
    const { server, chance, population } = this.#person;
    if (mayStartAnew && chance.is(population.newThreadRatio)) this.#thread = this.#person.newThread();
    const generation = this.#generation;
    server.time.schedule(delayMs, () => {
      if (generation === this.#generation && this.#visitor === null) this.#connect();
    });
  }

  #close(): void {
    const { server, chance } = this.#person;
    this.#isOpen = false;
    const visitor = this.#visitor;
    this.#disconnected();
    this.#person.closed(this);
    if (visitor === null) return;
    // Some laptops are just shut.
    if (chance.is(0.1)) server.vanish(visitor);
    else server.leave(visitor);
  }

  #disconnected(): void {
    this.#visitor = null;
    this.#generation += 1;
  }

  #after(delayMs: number, act: () => void): void {
    const generation = this.#generation;
    if (this.#withinLife(delayMs) === null) return;
    this.#person.server.time.schedule(delayMs, () => {
      if (generation === this.#generation) act();
    });
  }

  /** `null` where it would be closed by then: planned all the same, it would keep the connection in memory for days. */
  #withinLife(delayMs: number): number | null {
    return this.#person.server.time.now() + delayMs < this.#closesAtMs ? delayMs : null;
  }
}

/** How long until something happens that happens to so many of a hundred within an hour. */
function untilHit(ratio: number, chance: Chance): number {
  return chance.waitFor(hourMs / -Math.log(1 - ratio));
}
