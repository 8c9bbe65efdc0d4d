import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClientProcess } from './clients.mjs';
import { authenticate, undecided } from './stacks/support/who-is.mjs';
import { timersLeft } from './timers.mjs';
import { until } from './wait.mjs';

/** Places per user in all these facts. */
export const limit = 2;

/** What a frozen client's place may take to become free. With the settings of development it takes 1.2 s. */
const frozenWithinMs = 8_000;

/** How much longer than `closeGraceMs` the end of a stack may take. */
const closeAllowanceMs = 1_000;

/** A stack that runs, with clients in two processes, one of which will be stopped. */
export class World {
  /** @type {import('./types.js').Running | undefined} */
  #running;
  /** @type {ClientProcess | undefined} */
  #healthy;
  /** @type {ClientProcess | undefined} */
  #stopped;
  /** @type {import('../../src/index.js').WebSocketManager[]} */
  seen = [];
  /** @type {Map<string, import('./clients.mjs').Client>} */
  clients = new Map();

  processEvents = listenersOf(process);

  /** @param {import('./types.js').Stack} stack @param {import('../../src/index.js').Mooring} mooring */
  constructor(stack, mooring) {
    this.stack = stack;
    this.mooring = mooring;
    this.ways = stack.ways ?? ['websocket'];
  }

  async start() {
    const { mooring, stack } = this;
    const seen = (/** @type {import('../../src/index.js').WebSocketManager} */ manager) => {
      this.seen.push(manager);
    };
    this.#running = await stack.start({ mooring, authenticate, port: 0, seen });
    this.#healthy = new ClientProcess(stack, this.#running.port);
    this.#stopped = new ClientProcess(stack, this.#running.port);
  }

  get healthy() {
    assert.ok(this.#healthy);
    return this.#healthy;
  }

  get stopped() {
    assert.ok(this.#stopped);
    return this.#stopped;
  }

  /** A client that must get in. @param {string} user @param {number} thread @param {string} way */
  async comesIn(user, thread, way, process = this.healthy) {
    const client = await process.connect(user, thread, way);
    await client.comesIn();
    this.clients.set(`${user}/${thread}`, client);
    return client;
  }

  /** @param {string} name */
  client(name) {
    const client = this.clients.get(name);
    assert.ok(client, `an earlier fact left no client ${name}`);
    return client;
  }

  async close() {
    await this.#running?.close();
  }

  async endClients() {
    await Promise.all([this.#healthy?.end(), this.#stopped?.end()]);
  }
}

/** The facts, in the order in which they are looked at. Each throws if it is none. */
/** @type {Readonly<Record<import('./types.js').FactName, (world: World) => Promise<void>>>} */
export const facts = Object.freeze({
  managed: eachWay(async (world, way) => {
    const user = `ada-${way}`;
    await world.comesIn(user, 1, way);
    assert.equal(world.mooring.managerCountOf(user), 1);
    const manager = world.mooring.getManager({ userId: user, threadId: 'thread_1' });
    assert.ok(manager !== undefined && world.seen.includes(manager), 'managerOf gave no manager, or another one');
  }),

  limit: eachWay(async (world, way) => {
    const user = `ada-${way}`;
    await world.comesIn(user, 2, way);
    /** @type {string[]} */
    const refusals = [];
    world.mooring.on('admission.refused', ({ userId, closeCause }) => {
      if (userId === user) refusals.push(closeCause);
    });
    const third = await world.healthy.connect(user, 3, way);
    world.clients.set(`${user}/3`, third);
    await until(() => refusals.length > 0, 'one more than the limit is refused');
    assert.equal(refusals[0], 'quota');
    await sleep(100);
    assert.equal(third.isIn, false, 'the third client got in');
    assert.equal(world.mooring.managerCountOf(user), limit);
  }),

  refusal: eachWay(async (world, way) => {
    const { refused = { code: 1013, reason: /^quota;retry=[\d.]+;max=2$/ } } = world.stack;
    assertEnding(await world.client(`ada-${way}/3`).ends(), refused);
  }),

  takeover: eachWay(async (world, way) => {
    const { replaced = { code: 4409, reason: /^replaced/ } } = world.stack;
    const user = `ada-${way}`;
    const older = world.client(`${user}/1`);
    const newer = await world.comesIn(user, 1, way);
    assertEnding(await older.ends(), replaced);
    await sleep(200);
    assert.equal(newer.ending, null, 'the newer one was closed');
    assert.equal(world.client(`${user}/2`).ending, null, 'another thread was closed');
    assert.equal(world.mooring.managerCountOf(user), limit);
  }),

  frozen: async (world) => {
    for (const way of world.ways) {
      await world.comesIn(`bob-${way}`, 1, way, world.stopped);
      await world.comesIn(`bob-${way}`, 2, way);
      await world.comesIn(`carol-${way}`, 1, way, world.stopped); // is still there when the stack is closed
    }
    world.stopped.freeze();
    await Promise.all(
      world.ways.map(async (way) => {
        const newcomer = await world.healthy.connect(`bob-${way}`, 3, way);
        await newcomer.comesIn(frozenWithinMs);
        assert.equal(world.client(`bob-${way}/2`).ending, null, 'the healthy client was closed');
        const kept = world.mooring.managersOf(`bob-${way}`).map(({ threadId }) => threadId);
        assert.deepEqual(kept.sort(), ['thread_2', 'thread_3']);
      }),
    );
  },

  close: async (world) => {
    const onTheirWay = await Promise.all(world.ways.map((way) => world.healthy.connect(`${undecided}-${way}`, 1, way)));
    await sleep(300);
    const withinMs = world.mooring.config.closeGraceMs + closeAllowanceMs;
    let hasEnded = false;
    const ending = world.close().then(() => (hasEnded = true));
    await Promise.race([ending, until(() => hasEnded, 'the end of the stack', withinMs)]);
    const { drained = { code: 1012, reason: /^drain;retry=/ } } = world.stack;
    const clients = world.ways.map((way) => world.client(`ada-${way}/2`));
    for (const client of [...clients, ...onTheirWay]) assertEnding(await client.ends(), drained);
  },

  clean: async (world) => {
    await world.endClients();
    const { mooring } = world;
    const left = () => ({
      managers: mooring.managerCount,
      closing: mooring.closingCount,
      timers: timersLeft(),
      resources: process.getActiveResourcesInfo().filter((name) => !isOurOwn(name)),
      listeners: listenersOf(process).filter((name) => !world.processEvents.includes(name)),
    });
    const nothing = { managers: 0, closing: 0, timers: [], resources: [], listeners: [] };
    await until(() => JSON.stringify(left()) === JSON.stringify(nothing), 'nothing left', 2_000).catch(() => {
      assert.deepEqual(left(), nothing);
    });
  },
});

/** @param {(world: World, way: string) => Promise<void>} fact @returns {(world: World) => Promise<void>} */
function eachWay(fact) {
  return async (world) => {
    await Promise.all(world.ways.map((way) => fact(world, way)));
  };
}

/** @param {import('./types.js').Ending} ending @param {import('./types.js').Expectation} expected */
function assertEnding(ending, expected) {
  const told = JSON.stringify(ending);
  if ('text' in expected) {
    assert.match(ending.text ?? '', expected.text, told);
    return;
  }
  assert.equal(ending.code, expected.code, told);
  assert.match(ending.reason ?? '', expected.reason, told);
}

/** Output and the timer of `until`. @param {string} name */
function isOurOwn(name) {
  return ['PipeWrap', 'TTYWrap', 'FSReqPromise'].includes(name);
}

/** @param {NodeJS.EventEmitter} emitter */
function listenersOf(emitter) {
  return emitter.eventNames().flatMap((name) => emitter.listeners(name).map((_, i) => `${String(name)} ${i + 1}`));
}
