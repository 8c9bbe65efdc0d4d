import type { EventStream } from '../events.js';
import type { Leak } from '../event-table.js';
import { ExpiryQueue } from '../expiry-queue.js';
import { stateOf } from '../liveness/silence.js';
import type { AttachedConnection, WebSocketManager } from '../managers/manager.js';
import type { WebSocketConfig } from '../settings.js';
import type { Clock, Random } from '../time.js';

/** Where `sampled`, one manager in so many is followed. */
const oneIn = 100;

/** How long after its release a manager may be in use, closing and hooks apart: e.g. by code that writes a log. */
const graceMs = 60_000;

/** How many callers are named. */
const maxCallers = 5;

/** Where Mooring's own code is: its frames say nothing about the code that admitted. */
const ownFolder = new URL('../../', import.meta.url).pathname;

/** A manager that is followed beyond its release. Nothing here keeps it. */
interface Trace {
  readonly leak: Leak;
  readonly manager: WeakRef<WebSocketManager>;
  /** As old as the manager, and referenced by nothing else. */
  twin: object | null;
  releasedAtMs: number;
}

/** A socket of such a manager that was told to close. Nothing here keeps it either. */
interface SocketTrace {
  readonly leak: Leak;
  readonly connection: WeakRef<AttachedConnection>;
  readonly endedAtMs: number;
  isFound: boolean;
}

interface LeakDetectorParts {
  readonly clock: Clock;
  readonly events: EventStream;
  readonly random: Random;
  readonly config: WebSocketConfig;
}

/**
 * Finds managers an application keeps after their release, and sockets that are open although they were destroyed.
 *
 * Whether something is kept can be told only after a collection that would have taken it. So each manager that is
 * followed has a twin, an object of its age, which is let go a minute after the release. When the engine has collected
 * the twin and the manager is still there, something holds on to it.
 * @source Netty's ResourceLeakDetector; HikariCP's leakDetectionThreshold
 */
export class LeakDetector {
  readonly #parts: LeakDetectorParts;
  readonly #traces = new WeakMap<WebSocketManager, Trace>();
  readonly #released: ExpiryQueue<Trace>;
  readonly #ended: ExpiryQueue<SocketTrace>;
  readonly #twins = new FinalizationRegistry<Trace>((trace) => {
    this.#twinCollected(trace);
  });
  readonly #kept = new FinalizationRegistry<Trace>((trace) => {
    this.#emit('leak.gone', 'manager', trace);
  });
  #isStopped = false;

  constructor(parts: LeakDetectorParts) {
    this.#parts = parts;
    const { clock, config } = parts;
    const timeoutMs = graceMs + Math.max(config.closeGraceMs, config.hookTimeoutMs);
    const letGo = (trace: Trace): void => {
      trace.twin = null;
    };
    const look = (socket: SocketTrace): void => {
      this.#look(socket);
    };
    this.#released = new ExpiryQueue({ clock, timeoutMs, onExpired: letGo });
    this.#ended = new ExpiryQueue({ clock, timeoutMs, onExpired: look });
  }

  /** Follows it, where its turn has come. */
  admitted(manager: WebSocketManager): void {
    const { config, random } = this.#parts;
    const { leakDetection } = config;
    if (leakDetection === 'off' || (leakDetection === 'sampled' && random() >= 1 / oneIn)) return;
    const { userId, threadId, key } = manager;
    const twin = {};
    const trace: Trace = {
      leak: { userId, threadId, key, admittedBy: callers() },
      manager: new WeakRef(manager),
      twin,
      releasedAtMs: Infinity,
    };
    this.#traces.set(manager, trace);
    this.#twins.register(twin, trace);
  }

  released(manager: WebSocketManager): void {
    const trace = this.#traces.get(manager);
    if (trace === undefined || this.#isStopped) return;
    trace.releasedAtMs = this.#parts.clock.now();
    this.#released.add(trace);
  }

  /** One of its sockets was told to close: with its release, or because a newer one took over. */
  connectionEnded(connection: AttachedConnection): void {
    const trace = this.#traces.get(connection.manager);
    if (trace === undefined || this.#isStopped) return;
    const endedAtMs = this.#parts.clock.now();
    this.#ended.add({ leak: trace.leak, connection: new WeakRef(connection), endedAtMs, isFound: false });
  }

  /** Leaves no timer, and says nothing any longer. */
  stop(): void {
    this.#isStopped = true;
    this.#released.clear();
    this.#ended.clear();
  }

  /** One that is open is looked at again. */
  #look(socket: SocketTrace): void {
    const { connection, leak, endedAtMs: releasedAtMs } = socket;
    const ended = connection.deref();
    const isOpen = ended !== undefined && stateOf(ended) === 'open';
    if (isOpen !== socket.isFound) this.#emit(isOpen ? 'leak.found' : 'leak.gone', 'socket', { leak, releasedAtMs });
    socket.isFound = isOpen;
    if (isOpen) this.#ended.add(socket);
  }

  #twinCollected(trace: Trace): void {
    const manager = trace.manager.deref();
    if (manager === undefined) return;
    this.#emit('leak.found', 'manager', trace);
    this.#kept.register(manager, trace);
  }

  #emit(
    name: 'leak.found' | 'leak.gone',
    what: 'manager' | 'socket',
    { leak, releasedAtMs }: Pick<Trace, 'leak' | 'releasedAtMs'>,
  ): void {
    if (this.#isStopped) return;
    const { clock, events } = this.#parts;
    events.emit(name, { ...leak, what, releasedForMs: clock.now() - releasedAtMs });
  }
}

/** The callers, the nearest first, without Mooring's own frames; all frames if a bundler put both into one file. */
function callers(): string[] {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 50;
  const { stack = '' } = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  const frames = stack
    .split('\n')
    .slice(1)
    .map((line) => line.trim().replace(/^at /, ''))
    .filter((line) => !line.includes('node:internal'));
  const others = frames.filter((line) => !line.includes(ownFolder));
  return (others.length > 0 ? others : frames).slice(0, maxCallers);
}
