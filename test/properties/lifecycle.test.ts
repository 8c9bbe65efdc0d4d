import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMooring, type MooringEvent, type WebSocketManager } from '../../src/index.js';
import { FakeConnection, SimulatedTime } from '../../src/testing/index.js';
import type { Connected } from '../../src/core/admission/connector.js';
import type { Mooring } from '../../src/core/mooring.js';

/** Something that happens to a few users with few threads and a small limit, so that everything collides. */
const action = fc.oneof(
  fc.record({
    do: fc.constant('connect' as const),
    user: fc.nat(1),
    thread: fc.nat(5),
    pongAfterMs: fc.constantFrom(0, 30, 700, null),
    closeAfterMs: fc.constantFrom(0, 300, null),
  }),
  fc.record({ do: fc.constantFrom('message' as const, 'vanish' as const, 'fall silent' as const), client: fc.nat(40) }),
  fc.record({ do: fc.constantFrom('give up' as const, 'disconnect' as const, 'hold' as const), client: fc.nat(40) }),
  fc.record({
    do: fc.constant('hook' as const),
    client: fc.nat(40),
    kind: fc.constantFrom('returns', 'throws', 'rejects', 'takes long', 'hangs'),
  }),
  fc.record({ do: fc.constantFrom('fail' as const, 'release' as const), client: fc.nat(40) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 250, 600, 1_100, 4_000, 13_000, 130_000) }),
  fc.record({ do: fc.constant('stall' as const), ms: fc.constantFrom(150, 1_200, 90_000) }),
  fc.record({ do: fc.constant('reserve' as const), user: fc.nat(1), thread: fc.nat(5) }),
  fc.record({ do: fc.constant('emergency' as const), user: fc.nat(1), evict: fc.nat(2) }),
  fc.record({ do: fc.constant('limit' as const), limit: fc.nat(4) }),
);

type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

interface Client {
  readonly transport: FakeConnection;
  readonly context: { readonly userId: string; readonly threadId: string };
  readonly abort: AbortController;
  connected: Connected | null;
}

class World {
  readonly time = new SimulatedTime();
  limit = 3;
  /** The count may exceed a limit that was lowered, but never grows above it. */
  readonly allowed = new Map<string, number>();
  readonly clients: Client[] = [];
  readonly released: MooringEvent<'manager.released'>[] = [];
  /** Healthy connections that were closed without a reason. */
  readonly wrongs: string[] = [];
  admitted = 0;
  /** How often each hook was called, by its number. */
  readonly hooks = new Map<number, { readonly manager: WebSocketManager; calls: number }>();
  readonly mooring: Mooring;

  constructor(forcedEviction: 'on-demand' | 'by-level') {
    this.mooring = createMooring({
      time: this.time,
      env: {},
      environment: 'development',
      random: () => 0.5,
      forcedEviction,
      limitOf: () => this.limit,
    });
    this.mooring.on('manager.admitted', () => (this.admitted += 1));
    this.mooring.on('manager.released', (event) => {
      this.released.push(event);
      this.#judge(event);
    });
  }

  async act(step: Action): Promise<void> {
    const client = 'client' in step ? this.clients[step.client % Math.max(1, this.clients.length)] : undefined;
    switch (step.do) {
      case 'connect':
        this.#connect(step);
        break;
      case 'wait':
        await this.time.advance(step.ms);
        break;
      case 'stall':
        this.time.stall(step.ms);
        break;
      case 'reserve':
        void this.mooring
          .createManager({ userId: `u${step.user}`, threadId: `thread_${step.thread}` })
          .catch(() => undefined);
        break;
      case 'emergency':
        void this.mooring.emergencyCleanup(`u${step.user}`, { evict: step.evict });
        break;
      case 'limit':
        this.#setLimit(step.limit);
        break;
      case 'hook':
        if (client?.connected?.manager) this.#hook(client.connected.manager, step.kind);
        break;
      default:
        if (client !== undefined) this.#actOn(client, step.do);
    }
    await this.time.settle();
  }

  /** Checked after every step. */
  check(): void {
    const { mooring } = this;
    for (const user of ['u0', 'u1']) {
      const count = mooring.managerCountOf(user);
      expect(count).toBeLessThanOrEqual(Math.max(this.limit, this.allowed.get(user) ?? 0));
      if (count <= this.limit) this.allowed.delete(user);
      else this.allowed.set(user, count);
      for (const manager of mooring.managersOf(user)) expect(mooring.getManager(manager.key)).toBe(manager);
    }
    expect(this.admitted).toBe(this.released.length + mooring.managerCount);
    expect(this.wrongs).toEqual([]);
    for (const { manager, calls } of this.hooks.values()) expect(calls).toBe(manager.isReleased ? 1 : 0);
  }

  async end(): Promise<void> {
    const stopped = this.mooring.stop();
    await this.time.advance(20_000);
    await stopped;
    expect(this.mooring.managerCount).toBe(0);
    expect(this.admitted).toBe(this.released.length);
    for (const { transport, connected } of this.clients) {
      expect(connected === null).toBe(false);
      expect(transport.isClosed || transport.closes.length > 0 || connected?.refusal !== null).toBe(true);
    }
    await this.time.advance(1_000);
    expect(this.time.pendingTimers).toBe(0);
  }

  /** Heard before the close frame: the connection is as it was when it was judged. */
  #judge({ key, generation, reason, idleMs }: MooringEvent<'manager.released'>): void {
    const client = this.clients.find(({ connected }) => {
      const connection = connected?.connection;
      return connection?.isCurrent === true && connection.manager.key === key && connection.generation === generation;
    });
    if (client === undefined) return;
    const answers = client.transport.isOpen && client.transport.pongAfterMs === 0;
    if (reason === 'disconnected' && answers) this.wrongs.push(`${key} answers and was taken for dead`);
    if (reason === 'evicted' && idleMs < 12_000)
      this.wrongs.push(`${key} was in use ${idleMs} ms before it was evicted`);
    if (reason === 'idle' && idleMs < 36_000) this.wrongs.push(`${key} was idle for only ${idleMs} ms`);
  }

  #connect({ user, thread, pongAfterMs, closeAfterMs }: Extract<Action, { do: 'connect' }>): void {
    const transport = new FakeConnection({ time: this.time, pongAfterMs, closeAfterMs });
    const context = { userId: `u${user}`, threadId: `thread_${thread}` };
    const client: Client = {
      transport,
      context,
      abort: new AbortController(),
      connected: null,
    };
    this.clients.push(client);
    void this.mooring.connect(transport, context, { signal: client.abort.signal }).then((connected) => {
      client.connected = connected;
      if (connected.connection !== null) transport.bind(connected.connection);
    });
  }

  /** Called once, when the manager is released, also where it was before. */
  #hook(manager: WebSocketManager, kind: string): void {
    const number = this.hooks.size;
    this.hooks.set(number, { manager, calls: 0 });
    manager.onRelease(() => {
      const hook = this.hooks.get(number);
      if (hook !== undefined) hook.calls += 1;
      if (kind === 'throws') throw new Error('the hook throws');
      if (kind === 'rejects') return Promise.reject(new Error('the hook rejects'));
      if (kind === 'takes long') return new Promise((resolve) => this.time.setTimer(() => resolve(), 2_000));
      return kind === 'hangs' ? new Promise(() => undefined) : undefined;
    });
  }

  #setLimit(limit: number): void {
    this.limit = limit;
    for (const user of ['u0', 'u1']) this.allowed.set(user, this.mooring.managerCountOf(user));
  }

  #actOn(
    client: Client,
    act: Exclude<Action['do'], 'connect' | 'wait' | 'stall' | 'reserve' | 'emergency' | 'limit' | 'hook'>,
  ) {
    const manager = client.connected?.manager;
    switch (act) {
      case 'message':
        if (!client.transport.isClosed) client.transport.message();
        break;
      case 'vanish':
        client.transport.vanish();
        break;
      case 'fall silent':
        client.transport.fallSilent();
        break;
      case 'give up':
        client.abort.abort();
        break;
      case 'disconnect':
        this.mooring.disconnect(client.context);
        break;
      case 'hold':
        manager?.hold();
        break;
      case 'fail':
        manager?.fail(new Error('broken'));
        break;
      case 'release':
        if (manager) this.mooring.release(manager.key);
        break;
    }
  }
}

describe('the lifecycle under arbitrary interleavings', () => {
  it.each(['on-demand', 'by-level'] as const)('keeps its promises with forcedEviction %s', async (forcedEviction) => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 60 }), async (steps) => {
        const world = new World(forcedEviction);
        for (const step of steps) {
          await world.act(step);
          world.check();
        }
        await world.end();
      }),
      { numRuns: Number(process.env['TEST_PROPERTY_RUNS'] ?? 150) },
    );
  });
});
