import type { EventStream } from '../events.js';
import type { Leak } from '../event-row.js';
import { ExpiryQueue } from '../expiry-queue.js';
import { stateOf } from '../liveness/silence.js';
import type { AttachedConnection, WebSocketManager } from '../managers/manager.js';
import { ownFolder } from '../own-folder.js';
import type { WebSocketConfig } from '../settings.js';
import type { Clock, Random } from '../time.js';

/** With `sampled`, one manager in this many is followed. */
const oneIn = 100;

/** How long a manager may be in use after its release, in milliseconds, in addition to closing and hooks. */
const graceMs = 60_000;

/** How many callers are named at most. */
const maxCallers = 5;

/** A manager that is followed beyond its release. It holds no strong reference to it. */
interface Trace {
  readonly leak: Leak;
  readonly manager: WeakRef<WebSocketManager>;
  /** An object as old as the manager, which only this refers to. */
  twin: object | null;
  releasedAtMs: number;
}

/** A connection of such a manager that was told to close. It holds no strong reference to it. */
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
 * Finds managers that an application still refers to after their release, and sockets that are open although they were
 * destroyed. It does what Netty's ResourceLeakDetector does for buffers.
 *
 * Whether an object is still referred to shows only after a garbage collection. So each followed manager has a twin, an
 * object of the same age, to which the reference is dropped a minute after the release. If the twin is collected and the
 * manager is not, the application refers to the manager.
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
    const dropTwin = (trace: Trace): void => {
      trace.twin = null;
    };
    const check = (socket: SocketTrace): void => {
      this.#check(socket);
    };
    this.#released = new ExpiryQueue({ clock, timeoutMs, onExpired: dropTwin });
    this.#ended = new ExpiryQueue({ clock, timeoutMs, onExpired: check });
  }

  /** Follows the manager, if it is in the sample. */
  managerAdmitted(manager: WebSocketManager): void {
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

  managerReleased(manager: WebSocketManager): void {
    const trace = this.#traces.get(manager);
    if (trace === undefined || this.#isStopped) return;
    trace.releasedAtMs = this.#parts.clock.now();
    this.#released.add(trace);
  }

  /** The connection was told to close, because of a release or a takeover. */
  connectionEnded(connection: AttachedConnection): void {
    const trace = this.#traces.get(connection.manager);
    if (trace === undefined || this.#isStopped) return;
    const endedAtMs = this.#parts.clock.now();
    this.#ended.add({ leak: trace.leak, connection: new WeakRef(connection), endedAtMs, isFound: false });
  }

  /** Leaves no timer, and emits no more events. */
  stop(): void {
    this.#isStopped = true;
    this.#released.clear();
    this.#ended.clear();
  }

  /** Checks whether the socket is open; one that is open is checked again later. */
  #check(socket: SocketTrace): void {
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

/** The stack frames, the nearest first, without Mooring's own; all frames if a bundler put both into one file. */
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
