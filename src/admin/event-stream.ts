import { randomBytes } from 'node:crypto';
import type { AsyncContexts } from '../core/async-contexts.js';
import type { MooringEvent } from '../core/events.js';
import type { Mooring } from '../core/mooring.js';
import { loopback, type Admitted } from './access.js';

/** Which events a viewer wants. */
export interface EventFilter {
  /** @default all */
  readonly types?: ReadonlySet<string> | undefined;
  /** @default everybody's */
  readonly userId?: string | undefined;
}

/** Events that wait for one viewer, at most; who is slower loses the oldest. */
const mostQueued = 1_000;

/** Events kept for viewers who come back, and for how long they are noted after the last viewer left. */
const mostKept = 1_000;
const keptAfterLastMs = 60_000;

/** Events of so many milliseconds leave together. */
const gatheredMs = 100;

/** So that what lies between does not think the connection dead, and who wants few events knows how far it has come. */
const heartbeatMs = 15_000;

/** Who takes nothing for so long is gone. */
const patienceMs = 60_000;

/** Viewers at the most, unless told otherwise. */
export const defaultMaxViewers = 100;

/**
 * What part of them tokens may be that may only look, and one token of either scope. So no token takes the stream from
 * all others, and those who may act find room however many look.
 */
const shares = Object.freeze({ reading: 0.75, perToken: { read: 0.25, act: 0.5 } });

/** Who wants to watch. */
export interface Watching {
  /** By whose token. Whoever needs none, on this machine, has no share to keep to. */
  readonly who: Admitted;
  readonly filter: EventFilter;
  /** What the viewer saw last, when it was here before. */
  readonly lastEventId?: string | undefined;
  /** Ends the connection of a viewer that takes nothing: the end of a stream that nobody reads would not arrive. */
  readonly cutOff?: () => unknown;
}

interface Kept {
  readonly number: number;
  readonly event: MooringEvent;
  /** As it is sent; made once, for all viewers. */
  readonly text: string;
}

/**
 * The event stream as server-sent events. Nothing listens while nobody watches; every viewer has a queue of its own, and
 * one that does not read is dropped, and neither holds anybody up.
 */
export class EventHub {
  readonly #mooring: Mooring;
  readonly #maxViewers: number;
  /** Numbers begin anew with each process; so that one is not taken for another's, it is part of the id, in letters that never are the dash between. */
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

  /** How many watch, and what they missed. */
  get counts() {
    return {
      watching: this.#viewers.size,
      droppedEvents: this.#droppedEvents,
      droppedViewers: this.#droppedViewers,
    };
  }

  /** What is full for this viewer: everything, or the share of its token or of all tokens that may only look; or `null`. */
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
    const { contexts } = this.#mooring.clock;
    const viewer = new Viewer({
      filter,
      contexts,
      position: () => this.#idOf(this.#number),
      onDropped: (count) => {
        this.#droppedEvents += count;
      },
      onMissed: (events) => {
        this.#mooring.events.emit('viewer.missed', { events });
      },
      onGone: (isDropped) => {
        this.#viewers.delete(viewer);
        if (this.#viewers.size === 0) this.#linger();
        if (!isDropped) return;
        cutOff?.();
        this.#whenDropped(viewer);
      },
    });
    this.#viewers.set(viewer, who);
    viewer.say('hello', { id: this.#idOf(this.#number) });
    if (lastEventId !== '') this.#catchUp(viewer, lastEventId);
    return viewer.stream;
  }

  close(): void {
    for (const viewer of [...this.#viewers.keys()]) viewer.end();
    if (this.#lingering !== null) clearTimeout(this.#lingering);
    this.#lingering = null;
    this.#unlisten?.();
    this.#unlisten = null;
  }

  #whenDropped({ watchedMs }: Viewer): void {
    this.#droppedViewers += 1;
    this.#mooring.events.emit('viewer.dropped', { watchedMs });
  }

  #listen(): void {
    if (this.#lingering !== null) clearTimeout(this.#lingering);
    this.#lingering = null;
    this.#unlisten ??= this.#mooring.events.onAny((event) => {
      this.#note(event);
    });
  }

  /** Whoever was cut off finds nothing missing, when it is back soon. */
  #linger(): void {
    this.#lingering ??= this.#mooring.clock.contexts.outside(() =>
      setTimeout(() => {
        this.#lingering = null;
        this.#unlisten?.();
        this.#unlisten = null;
        this.#kept.length = 0;
        this.#number += 1; // stands for what happens while nobody listens
      }, keptAfterLastMs).unref(),
    );
  }

  #note(event: MooringEvent): void {
    this.#number += 1;
    const text = `id: ${this.#idOf(this.#number)}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
    const kept = { number: this.#number, event, text };
    this.#kept.push(kept);
    if (this.#kept.length > mostKept) this.#kept.shift();
    for (const viewer of this.#viewers.keys()) viewer.offer(kept);
  }

  #catchUp(viewer: Viewer, lastEventId: string): void {
    const [epoch, number] = lastEventId.split('-');
    const last = epoch === this.#epoch ? Number(number) : NaN;
    const oldest = this.#kept[0]?.number ?? this.#number + 1;
    if (!(last >= oldest - 1 && last <= this.#number)) {
      viewer.say('gap', { since: lastEventId, hint: 'What happened between is not known any longer.' });
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
  /** Where the stream is, as an id. */
  readonly position: () => string;
  readonly onDropped: (count: number) => void;
  /** Told with what is sent next, or in the end: not for each, as these are events too. */
  readonly onMissed: (events: number) => void;
  readonly onGone: (isDropped: boolean) => void;
}

/** One who watches. */
class Viewer {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #options: ViewerOptions;
  readonly #encoder = new TextEncoder();
  readonly #queue: string[] = [];
  readonly #heartbeat: NodeJS.Timeout;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #wanted: (() => void) | null = null;
  #gathering: NodeJS.Timeout | null = null;
  #missed = 0;
  readonly #beganAtMs = performance.now();
  #tookAtMs = this.#beganAtMs;

  constructor(options: ViewerOptions) {
    this.#options = options;
    this.stream = new ReadableStream(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#next(),
        cancel: () => {
          this.#gone(false);
        },
      },
      { highWaterMark: 0 },
    );
    this.#heartbeat = options.contexts.outside(() =>
      setInterval(() => {
        this.#beat();
      }, heartbeatMs).unref(),
    );
  }

  get watchedMs(): number {
    return performance.now() - this.#beganAtMs;
  }

  /** Something about the stream itself. */
  say(event: string, content: object): void {
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
    this.#gone(false);
  }

  #put(text: string): void {
    if (this.#controller === null) return;
    this.#queue.push(text);
    if (this.#queue.length > mostQueued) {
      this.#queue.shift();
      this.#missed += 1;
      this.#options.onDropped(1);
    }
    if (this.#wanted !== null) this.#gather();
  }

  #gather(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = null;
      this.#flush();
    }, gatheredMs).unref();
  }

  /** The reader wants more: what waits is sent as one, or what comes next. */
  #next(): Promise<void> {
    this.#tookAtMs = performance.now();
    return new Promise((resolve) => {
      this.#wanted = resolve;
      if (this.#queue.length > 0) this.#gather();
    });
  }

  #flush(): void {
    if (this.#controller === null || this.#wanted === null || this.#queue.length === 0) return;
    const missed = this.#missed === 0 ? '' : `event: stream.dropped\ndata: {"count":${String(this.#missed)}}\n\n`;
    this.#controller.enqueue(this.#encoder.encode(missed + this.#queue.join('')));
    this.#queue.length = 0;
    const wanted = this.#wanted;
    this.#wanted = null;
    wanted();
    this.#tellMissed();
  }

  #beat(): void {
    const isWaiting = this.#wanted !== null;
    if (isWaiting && this.#queue.length === 0)
      this.#put(`id: ${this.#options.position()}\nevent: stream.position\ndata: {}\n\n`);
    if (isWaiting || performance.now() - this.#tookAtMs < patienceMs) return;
    this.#controller?.close();
    this.#gone(true);
  }

  #gone(isDropped: boolean): void {
    if (this.#controller === null) return;
    this.#controller = null;
    clearInterval(this.#heartbeat);
    if (this.#gathering !== null) clearTimeout(this.#gathering);
    this.#queue.length = 0;
    this.#wanted?.();
    this.#wanted = null;
    this.#tellMissed();
    this.#options.onGone(isDropped);
  }

  #tellMissed(): void {
    const events = this.#missed;
    this.#missed = 0;
    if (events > 0) this.#options.onMissed(events);
  }
}
