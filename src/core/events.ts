import { noContexts, type AsyncContexts } from './async-contexts.js';
import { describe } from './errors.js';
import type { OfKey, OfUser } from './event-row.js';
import type { MooringEventName, MooringEvents } from './event-table.js';
import { isPromise } from './promises.js';

/** An event as listeners get it. `atMs` is the wall-clock time, for display. */
export type MooringEvent<Name extends MooringEventName = MooringEventName> = {
  readonly [N in Name]: { readonly type: N; readonly atMs: number } & MooringEvents[N];
}[Name];

/**
 * A listener. An error that it throws is reported as `listener.failed`, and stops nothing. It runs in no request's async
 * context, not even in that of the request that caused the event.
 */
export type MooringListener<Name extends MooringEventName = MooringEventName> = (event: MooringEvent<Name>) => void;

/** The names of events about one of a user's managers. */
export type KeyedEventName = {
  [Name in MooringEventName]: MooringEvents[Name] extends OfKey ? Name : never;
}[MooringEventName];

/** The fields of such an event without the ids. */
export type KeyedDetails<Name extends KeyedEventName> = Omit<MooringEvents[Name], keyof OfKey>;

/** Called before the listeners. An error that it throws is reported as `listener.failed`, and stops nothing. */
export type Observer<Name extends KeyedEventName> = (of: OfUser, details: KeyedDetails<Name>) => void;

/** Options of a listener. */
export interface ListenOptions {
  /** Removes the listener when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** Where events are published beside the listeners. In Node: `diagnostics_channel`. */
export interface EventChannels {
  /** Asked for each event before it is made: an event that nobody gets costs nothing. */
  hasSubscribers(name: MooringEventName): boolean;
  /** Never throws. */
  publish(event: MooringEvent): void;
}

/** Nobody subscribes. */
const noChannels: EventChannels = Object.freeze({ hasSubscribers: () => false, publish: () => undefined });

interface Registration {
  readonly listener: (event: MooringEvent) => unknown;
}

/** The stream of all events, for logs, metrics, journal and tests. */
export class EventStream {
  readonly #byName = new Map<MooringEventName, Set<Registration>>();
  readonly #toAll = new Set<Registration>();
  readonly #observers = new Map<MooringEventName, (of: OfUser, details: object) => void>();
  readonly #wallNow: () => number;
  readonly #contexts: AsyncContexts;
  readonly #channels: EventChannels;

  constructor(wallNow: () => number, contexts = noContexts, channels = noChannels) {
    this.#wallNow = wallNow;
    this.#contexts = contexts;
    this.#channels = channels;
  }

  /** Listens to one kind of event. @returns removes the listener */
  on<Name extends MooringEventName>(name: Name, listener: MooringListener<Name>, options?: ListenOptions): () => void {
    const listeners = this.#byName.get(name) ?? new Set();
    this.#byName.set(name, listeners);
    return added(listeners, listener as MooringListener, options);
  }

  /** Listens to the next event of one kind. @returns removes the listener */
  once<Name extends MooringEventName>(
    name: Name,
    listener: MooringListener<Name>,
    options?: ListenOptions,
  ): () => void {
    // What it returns may be a promise that rejects.
    const call = listener as (event: MooringEvent<Name>) => unknown;
    const remove = this.on(
      name,
      (event: MooringEvent<Name>): unknown => {
        // First, since the listener may cause another event of this kind.
        remove();
        return call(event);
      },
      options,
    );
    return remove;
  }

  /** Listens to every event. @returns removes the listener */
  onAny(listener: MooringListener, options?: ListenOptions): () => void {
    return added(this.#toAll, listener, options);
  }

  /**
   * @internal Sets the one observer of a kind of event.
   *
   * Why not a listener: for an observer alone, no event object and no isolation key are made, and the wall clock is not
   * read. That matters for events of every connection.
   */
  observe<Name extends KeyedEventName>(name: Name, observer: Observer<Name>): void {
    if (this.#observers.has(name)) throw new TypeError(`${name} has an observer already`);
    this.#observers.set(name, observer as (of: OfUser, details: object) => void);
  }

  /** @internal Never throws. */
  emit<Name extends MooringEventName>(name: Name, details: MooringEvents[Name]): void {
    // Only events about a manager have observers.
    this.#inform(name, details as unknown as OfUser, details);
    if (!this.#isHeard(name)) return;
    this.#deliver({ type: name, atMs: this.#wallNow(), ...details } as unknown as MooringEvent);
  }

  /**
   * @internal As {@link emit}, for events about a manager: its key is made only if there is a listener.
   * @param of the manager the event is about
   */
  emitOf<Name extends KeyedEventName>(name: Name, of: OfKey, details: KeyedDetails<Name>): void {
    this.#inform(name, of, details);
    if (!this.#isHeard(name)) return;
    const { userId, threadId, key } = of;
    const event = { type: name, atMs: this.#wallNow(), userId, threadId, key, ...details };
    this.#deliver(event as unknown as MooringEvent);
  }

  #inform(name: MooringEventName, of: OfUser, details: object): void {
    const observer = this.#observers.get(name);
    if (observer === undefined) return;
    try {
      observer(of, details);
    } catch (error) {
      this.#report(name, error);
    }
  }

  #isHeard(name: MooringEventName): boolean {
    if (this.#toAll.size > 0) return true;
    const listeners = this.#byName.get(name);
    return (listeners !== undefined && listeners.size > 0) || this.#channels.hasSubscribers(name);
  }

  #deliver(event: MooringEvent): void {
    const listeners = this.#byName.get(event.type);
    this.#contexts.outside(() => {
      if (listeners !== undefined) this.#tell(listeners, event);
      this.#tell(this.#toAll, event);
      if (this.#channels.hasSubscribers(event.type)) this.#channels.publish(event);
    });
  }

  #tell(listeners: ReadonlySet<Registration>, event: MooringEvent): void {
    for (const { listener } of listeners) {
      try {
        const result = listener(event);
        if (isPromise(result)) void this.#watch(result, event.type);
      } catch (error) {
        this.#report(event.type, error);
      }
    }
  }

  async #watch(result: PromiseLike<unknown>, event: MooringEventName): Promise<void> {
    try {
      await result;
    } catch (error) {
      this.#report(event, error);
    }
  }

  #report(event: MooringEventName, error: unknown): void {
    if (event !== 'listener.failed') this.emit('listener.failed', { event, error: describe(error) });
  }
}

/** Each registration has its own object, since the same listener may be added twice and removed once. */
function added(
  registrations: Set<Registration>,
  listener: MooringListener,
  { signal }: ListenOptions = {},
): () => void {
  const registration = { listener };
  const remove = (): void => {
    registrations.delete(registration);
    signal?.removeEventListener('abort', remove);
  };
  if (signal?.aborted === true) return remove;
  registrations.add(registration);
  signal?.addEventListener('abort', remove);
  return remove;
}
