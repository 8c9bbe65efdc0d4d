import { noContexts, type AsyncContexts } from './async-contexts.js';
import { describe } from './errors.js';
import type { MooringEventName, MooringEvents, OfKey, OfUser } from './event-table.js';
import { isPromise } from './promises.js';

/** An event as listeners get it. `atMs` is wall-clock time, for display. */
export type MooringEvent<Name extends MooringEventName = MooringEventName> = {
  readonly [N in Name]: { readonly type: N; readonly atMs: number } & MooringEvents[N];
}[Name];

/**
 * A listener. What it throws is reported as `listener.failed`, and stops nothing. It runs in the async context of no
 * request, not even of the request that caused the event.
 */
export type MooringListener<Name extends MooringEventName = MooringEventName> = (event: MooringEvent<Name>) => void;

/** The names of events about one of a user's managers. */
export type KeyedEventName = {
  [Name in MooringEventName]: MooringEvents[Name] extends OfKey ? Name : never;
}[MooringEventName];

/** What such an event says besides whose manager it is about. */
export type KeyedDetails<Name extends KeyedEventName> = Omit<MooringEvents[Name], keyof OfKey>;

/** Hears what an event says, before listeners do. What it throws is reported as `listener.failed`, and stops nothing. */
export type Observer<Name extends KeyedEventName> = (of: OfUser, details: KeyedDetails<Name>) => void;

interface Registration {
  readonly listener: (event: MooringEvent) => unknown;
}

/** The one stream that logs, metrics, journal and tests read. */
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

  /** Listens to one kind of event. @returns what ends it */
  on<Name extends MooringEventName>(name: Name, listener: MooringListener<Name>): () => void {
    const listeners = this.#byName.get(name) ?? new Set();
    this.#byName.set(name, listeners);
    return added(listeners, listener as MooringListener);
  }

  /** Listens to every event. @returns what ends it */
  onAny(listener: MooringListener): () => void {
    return added(this.#toAll, listener);
  }

  /**
   * @internal Has one part of Mooring itself hear of every event of a kind, for as long as there is an event stream.
   *
   * Why not a listener: the event object, its isolation key and the wall clock are read for listeners alone, and with
   * an observer alone none of them is made. Events of every connection would make two objects that no listener gets.
   */
  observe<Name extends KeyedEventName>(name: Name, observer: Observer<Name>): void {
    if (this.#observers.has(name)) throw new TypeError(`${name} has an observer already`);
    this.#observers.set(name, observer as (of: OfUser, details: object) => void);
  }

  /** Never throws. */
  emit<Name extends MooringEventName>(name: Name, details: MooringEvents[Name]): void {
    // Only names of events about a manager are observed.
    this.#inform(name, details as unknown as OfUser, details);
    if (!this.#isHeard(name)) return;
    this.#deliver({ type: name, atMs: this.#wallNow(), ...details } as unknown as MooringEvent);
  }

  /**
   * @internal As {@link emit}, for events of every connection: thread and key are read only if there is a listener.
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

/** An object of its own for each registration: the same listener may be registered twice, and each end ends one. */
function added(registrations: Set<Registration>, listener: MooringListener): () => void {
  const registration = { listener };
  registrations.add(registration);
  return () => {
    registrations.delete(registration);
  };
}
