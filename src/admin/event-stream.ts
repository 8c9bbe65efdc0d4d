import { randomBytes } from 'node:crypto';
import type { AsyncContexts } from '../core/async-contexts.js';
import type { MooringEvent } from '../core/events.js';
import type { Mooring } from '../core/mooring.js';
import { loopback, type Admitted } from './access.js';

export interface EventFilter {
  /** @default all */
  readonly types?: ReadonlySet<string> | undefined;
  /** @default everybody's */
  readonly userId?: string | undefined;
}

/** Events that wait for one viewer, at most. A viewer that is slower loses the oldest. */
const maxQueued = 1_000;

/** Events kept for viewers that reconnect, and for how long events are kept after the last viewer left. */
const maxKept = 1_000;
const lingerMs = 60_000;

/** Events within this time are sent together. */
const batchMs = 100;

/** Keeps idle connections open through proxies, and tells a viewer that gets few events how far the stream is. */
const heartbeatMs = 15_000;

/** A viewer that reads nothing for this long is disconnected. */
const maxUnreadMs = 60_000;

/** How many viewers there may be, unless `maxViewers` is given. */
export const defaultMaxViewers = 100;

/**
 * Which part of the viewers may have tokens that may only read, and which part one token may have. So no token can take
 * all places, and tokens that may act find one however many only read.
 */
const shares = Object.freeze({ reading: 0.75, perToken: { read: 0.25, act: 0.5 } });

export interface Watching {
  /** The token of the viewer. A viewer on loopback that needs no token has no share to keep to. */
  readonly who: Admitted;
  readonly filter: EventFilter;
  /** The last event that the viewer saw before it reconnected. */
  readonly lastEventId?: string | undefined;
  /** Destroys the connection of a viewer that does not read: it would not notice the end of the stream. */
  readonly cutOff?: () => unknown;
}

interface Kept {
  readonly number: number;
  readonly event: MooringEvent;
  /** As it is sent. Made once for all viewers. */
  readonly text: string;
}

/**
 * The event stream as server-sent events. It listens only while there are viewers. Each viewer has its own queue, so that
 * a slow one delays no other.
 */
export class EventHub {
  readonly #mooring: Mooring;
  readonly #maxViewers: number;
  /** The first part of each id: numbers start at 0 again with each process. Hexadecimal, so that it has no dash. */
  readonly #epoch = randomBytes(6).toString('hex');
  readonly #viewers = new Map<Viewer, Admitted>();
  readonly #kept: Kept[] = [];
  #number = 0;
  #unlisten: (() => void) | null = null;
  #lingering: NodeJS.Timeout | null = null;
  #droppedEvents = 0;
  #droppedViewers = 0;

  constructor(mooring: Mooring, maxViewers = defaultMaxViewers) {
    if (!Number.isInteger(maxViewers) || maxViewers < 1)
      throw new TypeError(`maxViewers: got ${String(maxViewers)}, wanted a whole number of at least 1`);
    this.#mooring = mooring;
    this.#maxViewers = maxViewers;
  }

  get counts() {
    return {
      watching: this.#viewers.size,
      droppedEvents: this.#droppedEvents,
      droppedViewers: this.#droppedViewers,
    };
  }

  /** What leaves no place for this viewer: all are taken, or the share of its token or of tokens that may only read. */
  whatIsFull({ name, scope }: Admitted): 'all' | 'share' | null {
    if (this.#viewers.size >= this.#maxViewers) return 'all';
    if (name === loopback) return null;
    const others = [...this.#viewers.values()];
    const ofToken = others.filter((other) => other.name === name && other.scope === scope).length;
    const isReadingFull =
      scope === 'read' && others.filter((other) => other.scope === 'read').length >= shares.reading * this.#maxViewers;
    return isReadingFull || ofToken >= shares.perToken[scope] * this.#maxViewers ? 'share' : null;
  }

  /** The events from now on, or from where the viewer was. */
  watch({ who, filter, lastEventId = '', cutOff }: Watching): ReadableStream<Uint8Array> {
    this.#listen();
    const viewer = new Viewer({
      filter,
      contexts: this.#mooring.clock.contexts,
      position: () => this.#idOf(this.#number),
      onDropped: () => {
        this.#droppedEvents += 1;
      },
      onMissed: (events) => {
        this.#mooring.events.emit('viewer.missed', { events });
      },
      onGone: (isDropped) => {
        this.#viewers.delete(viewer);
        if (this.#viewers.size === 0) this.#linger();
        if (!isDropped) return;
        cutOff?.();
        this.#droppedViewers += 1;
        this.#mooring.events.emit('viewer.dropped', { watchedMs: viewer.watchedMs });
      },
    });
    this.#viewers.set(viewer, who);
    viewer.notify('hello', { id: this.#idOf(this.#number) });
    if (lastEventId !== '') this.#catchUp(viewer, lastEventId);
    return viewer.stream;
  }

  close(): void {
    for (const viewer of [...this.#viewers.keys()]) viewer.end();
    this.#stopLingering();
    this.#unlisten?.();
    this.#unlisten = null;
  }

  #listen(): void {
    this.#stopLingering();
    this.#unlisten ??= this.#mooring.events.onAny((event) => {
      this.#note(event);
    });
  }

  /** Goes on listening for a while, so that a viewer that reconnects soon misses nothing. */
  #linger(): void {
    this.#lingering ??= this.#mooring.clock.contexts.outside(() =>
      setTimeout(() => {
        this.close();
        this.#kept.length = 0;
        this.#number += 1; // stands for the events that are missed from now on
      }, lingerMs).unref(),
    );
  }

  #stopLingering(): void {
    if (this.#lingering !== null) clearTimeout(this.#lingering);
    this.#lingering = null;
  }

  #note(event: MooringEvent): void {
    this.#number += 1;
    const text = `id: ${this.#idOf(this.#number)}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
    const kept = { number: this.#number, event, text };
    this.#kept.push(kept);
    if (this.#kept.length > maxKept) this.#kept.shift();
    for (const viewer of this.#viewers.keys()) viewer.offer(kept);
  }

  #catchUp(viewer: Viewer, lastEventId: string): void {
    const [epoch, number] = lastEventId.split('-');
    const last = epoch === this.#epoch ? Number(number) : NaN;
    const oldest = this.#kept[0]?.number ?? this.#number + 1;
    if (!(last >= oldest - 1 && last <= this.#number)) {
      viewer.notify('gap', { since: lastEventId, hint: 'What happened between is not known any longer.' });
      return;
    }
    for (const kept of this.#kept) if (kept.number > last) viewer.offer(kept);
  }

  #idOf(number: number): string {
    return `${this.#epoch}-${String(number)}`;
  }
}

interface ViewerOptions {
  readonly contexts: AsyncContexts;
  readonly filter: EventFilter;
  /** The id of the last event of the stream. */
  readonly position: () => string;
  /** An event was lost, since too many waited. */
  readonly onDropped: () => void;
  /** How many were lost since the last call. Not called for each: it emits an event, which the viewer may lose too. */
  readonly onMissed: (events: number) => void;
  /** @param isDropped whether it was disconnected for reading nothing */
  readonly onGone: (isDropped: boolean) => void;
}

/** One client of the stream, with its queue. */
class Viewer {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #options: ViewerOptions;
  readonly #encoder = new TextEncoder();
  readonly #queue: string[] = [];
  readonly #heartbeat: NodeJS.Timeout;
  readonly #startedAtMs = performance.now();
  #lastReadAtMs = this.#startedAtMs;
  /** `null` once the viewer is gone. */
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  /** Ends the read that waits for data, if there is one. */
  #resolveRead: (() => void) | null = null;
  #batch: NodeJS.Timeout | null = null;
  #missed = 0;

  constructor(options: ViewerOptions) {
    this.#options = options;
    this.stream = new ReadableStream(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#waitForBatch(),
        cancel: () => {
          this.#detach(false);
        },
      },
      { highWaterMark: 0 },
    );
    this.#heartbeat = options.contexts.outside(() =>
      setInterval(() => {
        this.#onHeartbeat();
      }, heartbeatMs).unref(),
    );
  }

  get watchedMs(): number {
    return performance.now() - this.#startedAtMs;
  }

  /** Sends a notice about the stream itself. */
  notify(event: string, content: object): void {
    this.#put(`event: stream.${event}\ndata: ${JSON.stringify(content)}\n\n`);
  }

  offer({ event, text }: Kept): void {
    const { types, userId } = this.#options.filter;
    if (types !== undefined && !types.has(event.type)) return;
    if (userId !== undefined && (!('userId' in event) || event.userId !== userId)) return;
    this.#put(text);
  }

  end(): void {
    if (this.#controller === null) return;
    this.#flush();
    this.#controller.close();
    this.#detach(false);
  }

  #put(text: string): void {
    if (this.#controller === null) return;
    this.#queue.push(text);
    if (this.#queue.length > maxQueued) {
      this.#queue.shift();
      this.#missed += 1;
      this.#options.onDropped();
    }
    if (this.#resolveRead !== null) this.#flushSoon();
  }

  #flushSoon(): void {
    this.#batch ??= setTimeout(() => {
      this.#batch = null;
      this.#flush();
    }, batchMs).unref();
  }

  /** Resolves once the next batch is sent. */
  #waitForBatch(): Promise<void> {
    this.#lastReadAtMs = performance.now();
    return new Promise((resolve) => {
      this.#resolveRead = resolve;
      if (this.#queue.length > 0) this.#flushSoon();
    });
  }

  #flush(): void {
    if (this.#controller === null || this.#resolveRead === null || this.#queue.length === 0) return;
    const missed = this.#missed === 0 ? '' : `event: stream.dropped\ndata: {"count":${String(this.#missed)}}\n\n`;
    this.#controller.enqueue(this.#encoder.encode(missed + this.#queue.join('')));
    this.#queue.length = 0;
    const resolve = this.#resolveRead;
    this.#resolveRead = null;
    resolve();
    this.#tellMissed();
  }

  #onHeartbeat(): void {
    const isWaiting = this.#resolveRead !== null;
    if (isWaiting && this.#queue.length === 0)
      this.#put(`id: ${this.#options.position()}\nevent: stream.position\ndata: {}\n\n`);
    if (isWaiting || performance.now() - this.#lastReadAtMs < maxUnreadMs) return;
    this.#controller?.close();
    this.#detach(true);
  }

  #detach(isDropped: boolean): void {
    if (this.#controller === null) return;
    this.#controller = null;
    clearInterval(this.#heartbeat);
    if (this.#batch !== null) clearTimeout(this.#batch);
    this.#queue.length = 0;
    this.#resolveRead?.();
    this.#resolveRead = null;
    this.#tellMissed();
    this.#options.onGone(isDropped);
  }

  #tellMissed(): void {
    const events = this.#missed;
    this.#missed = 0;
    if (events > 0) this.#options.onMissed(events);
  }
}
