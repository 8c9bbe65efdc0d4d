import type { WebSocketConfig } from '../core/settings.js';
import type { ServerObserver, SimulatedServer } from './server.js';
import type { SimulatedSocket } from './socket.js';

/** What went wrong for users, whatever algorithm ran, judged by the truth about their connections. */
export interface LeakReport {
  /** User-hours with a lock-out or an accumulated manager. */
  readonly incidents: number;
  /** User-hours in which somebody was refused while a connection without a client held one of the user's places. */
  readonly lockOuts: number;
  /** User-hours in which a connection held a place five minutes after its client had gone. */
  readonly accumulations: number;
  /** Connections the server closed while they were in use. */
  readonly closedInUse: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** How long after its client has gone a connection may hold a place. */
const tolerableMs = 5 * minuteMs;

/** How far off the time of a message may be: a server may read its clock only twice a second. */
const impreciseMs = 1_000;

/** The idle timeout to judge by if the setting is off. */
const defaultIdleMs = 10 * minuteMs;

/** Whether the connection is engaged by the truth, which uses none of the core's own figures. */
export function isInUse(socket: SimulatedSocket, nowMs: number, config: WebSocketConfig): boolean {
  const { streamingWindowMs, evictionFloorRatio } = config;
  const idleManagerTimeoutMs = config.idleManagerTimeoutMs ?? defaultIdleMs;
  const floorMs = evictionFloorRatio * idleManagerTimeoutMs;
  const inboundAgoMs = nowMs - socket.inboundAtMs;
  const isStreaming = nowMs - socket.outboundAtMs < streamingWindowMs && inboundAgoMs < idleManagerTimeoutMs;
  const isHeld = socket.isHeld && nowMs - socket.activeAtMs < idleManagerTimeoutMs;
  return inboundAgoMs < floorMs || isStreaming || isHeld;
}

/** Since when no client is at the other end. */
function goneSinceMs(socket: SimulatedSocket): number {
  return Math.min(socket.unreachableSinceMs, socket.closedAtMs);
}

/** Observes a server from outside, once a minute and at every refusal. It knows which clients are really there. */
export class LeakObserver implements ServerObserver {
  readonly #server: SimulatedServer;
  readonly #config: WebSocketConfig;
  readonly #lockOuts = new Set<string>();
  readonly #accumulations = new Set<string>();
  #closedInUse = 0;

  constructor(server: SimulatedServer, config: WebSocketConfig) {
    this.#server = server;
    this.#config = config;
    server.observer = this;
    this.#sweepLater();
  }

  /** Only connections that were dead before the newcomer came count: no server can know of a death at once. */
  onRefused(userId: string, waitedMs: number): void {
    const cameAtMs = this.#server.now() - waitedMs;
    for (const { socket } of this.#server.slotsOf(userId))
      if (goneSinceMs(socket) < cameAtMs) this.#lockOuts.add(this.#userHour(userId));
  }

  onClose(socket: SimulatedSocket): void {
    const wasThere = socket.isReachable && !socket.hasLeftUnanswered(this.#config.minSilenceMs);
    if (wasThere && isInUse(socket, this.#server.now() + impreciseMs, this.#config)) this.#closedInUse += 1;
  }

  report(): LeakReport {
    return {
      incidents: new Set([...this.#lockOuts, ...this.#accumulations]).size,
      lockOuts: this.#lockOuts.size,
      accumulations: this.#accumulations.size,
      closedInUse: this.#closedInUse,
    };
  }

  #sweepLater(): void {
    this.#server.time.schedule(minuteMs, () => {
      const latestMs = this.#server.now() - tolerableMs;
      for (const { userId, socket } of this.#server.slots())
        if (goneSinceMs(socket) < latestMs) this.#accumulations.add(this.#userHour(userId));
      if (!this.#server.isEnding) this.#sweepLater();
    });
  }

  #userHour(userId: string): string {
    return `${String(Math.floor(this.#server.time.now() / hourMs))} ${userId}`;
  }
}
