import { noContexts, type AsyncContexts } from './async-contexts.js';
import { describe } from './errors.js';
import type { MooringEventName, MooringEvents, OfKey, OfUser } from './event-table.js';
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

  constructor(wallNow: () => number, contexts = noContexts) {
    this.#wallNow = wallNow;
    this.#contexts = contexts;
  }

  /** Listens to one kind of event. @returns removes the listener */
  on<Name extends MooringEventName>(name: Name, listener: MooringListener<Name>): () => void {
    const listeners = this.#byName.get(name) ?? new Set();
    this.#byName.set(name, listeners);
    return added(listeners, listener as MooringListener);
  }

  /** Listens to every event. @returns removes the listener */
  onAny(listener: MooringListener): () => void {
    return added(this.#toAll, listener);
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

  /** Never throws. */
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
    return listeners !== undefined && listeners.size > 0;
  }

  #deliver(event: MooringEvent): void {
    const listeners = this.#byName.get(event.type);
    this.#contexts.outside(() => {
      if (listeners !== undefined) this.#tell(listeners, event);
      this.#tell(this.#toAll, event);
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
function added(registrations: Set<Registration>, listener: MooringListener): () => void {
  const registration = { listener };
  registrations.add(registration);
  return () => {
    registrations.delete(registration);
  };
}
