import type { EventStream, Leak } from '../events.js';
import { ExpiryQueue } from '../expiry-queue.js';
import { stateOf } from '../liveness/silence.js';
import type { WebSocketManager } from '../managers/manager.js';
import type { WebSocketConfig } from '../settings.js';
import type { Clock, Random } from '../time.js';

/** Where `sampled`, one manager in so many is followed. */
const oneIn = 100;

/** How long after its release a manager may be in use, closing and hooks apart: by whoever is just writing a log. */
const graceMs = 60_000;

/** How many callers are named. */
const mostCallers = 5;

/** Where Mooring's own code is: its frames say nothing about who admitted. */
const ownFolder = new URL('../../', import.meta.url).pathname;

/** A manager that is followed beyond its release. Nothing here keeps it. */
interface Trace {
  readonly leak: Leak;
  readonly manager: WeakRef<WebSocketManager>;
  /** As old as the manager, and known to nobody else. */
  twin: object | null;
  releasedAtMs: number;
  isSocketOpen: boolean;
}

interface LeakDetectorOptions {
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
 * the twin and the manager is still there, somebody keeps it.
 * @source Netty's ResourceLeakDetector; HikariCP's leakDetectionThreshold
 */
export class LeakDetector {
  readonly #options: LeakDetectorOptions;
  readonly #traces = new WeakMap<WebSocketManager, Trace>();
  readonly #released: ExpiryQueue<Trace>;
  readonly #twins = new FinalizationRegistry<Trace>((trace) => {
    this.#twinCollected(trace);
  });
  readonly #kept = new FinalizationRegistry<Trace>((trace) => {
    this.#emit('leak.gone', trace, 'manager');
  });
  #isStopped = false;

  constructor(options: LeakDetectorOptions) {
    this.#options = options;
    const { closeGraceMs, hookTimeoutMs } = options.config;
    this.#released = new ExpiryQueue({
      clock: options.clock,
      timeoutMs: graceMs + Math.max(closeGraceMs, hookTimeoutMs),
      onExpired: (trace) => {
        this.#afterGrace(trace);
      },
    });
  }

  /** Follows it, where its turn has come. */
  admitted(manager: WebSocketManager): void {
    const { config, random } = this.#options;
    const { leakDetection } = config;
    if (leakDetection === 'off' || (leakDetection === 'sampled' && random() >= 1 / oneIn)) return;
    const { userId, threadId, key } = manager;
    const twin = {};
    const trace: Trace = {
      leak: { userId, threadId, key, admittedBy: callers() },
      manager: new WeakRef(manager),
      twin,
      releasedAtMs: Infinity,
      isSocketOpen: false,
    };
    this.#traces.set(manager, trace);
    this.#twins.register(twin, trace);
  }

  released(manager: WebSocketManager): void {
    const trace = this.#traces.get(manager);
    if (trace === undefined || this.#isStopped) return;
    trace.releasedAtMs = this.#options.clock.now();
    this.#released.add(trace);
  }

  /** Leaves no timer, and says nothing any longer. */
  stop(): void {
    this.#isStopped = true;
    this.#released.clear();
  }

  /** A socket that is open is looked at again. */
  #afterGrace(trace: Trace): void {
    trace.twin = null;
    const link = trace.manager.deref()?.link ?? null;
    const isOpen = link !== null && stateOf(link) === 'open';
    if (isOpen !== trace.isSocketOpen) this.#emit(isOpen ? 'leak.found' : 'leak.gone', trace, 'socket');
    trace.isSocketOpen = isOpen;
    if (isOpen) this.#released.add(trace);
  }

  #twinCollected(trace: Trace): void {
    const manager = trace.manager.deref();
    if (manager === undefined) return;
    this.#emit('leak.found', trace, 'manager');
    this.#kept.register(manager, trace);
  }

  #emit(name: 'leak.found' | 'leak.gone', { leak, releasedAtMs }: Trace, what: 'manager' | 'socket'): void {
    if (this.#isStopped) return;
    const { clock, events } = this.#options;
    events.emit(name, { ...leak, what, releasedForMs: clock.now() - releasedAtMs });
  }
}

/** Who called, the nearest first, as far as that is not Mooring itself; all of it where a bundler put both together. */
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
  return (others.length > 0 ? others : frames).slice(0, mostCallers);
}
