import { channel, type Channel } from 'node:diagnostics_channel';
import type { MooringEventName } from '../core/event-table.js';
import type { EventChannels, MooringEvent } from '../core/events.js';

/**
 * Publishes events to `diagnostics_channel`: each under its own name with `mooring:` in front, for example
 * `mooring:manager.released`, of all Moorings of the process. What a subscriber throws is an uncaught exception, as with
 * every channel.
 */
export class NodeChannels implements EventChannels {
  /** Node forgets channels that nobody holds or subscribes to. */
  readonly #byName = new Map<MooringEventName, Channel>();

  hasSubscribers(name: MooringEventName): boolean {
    return this.#of(name).hasSubscribers;
  }

  publish(event: MooringEvent): void {
    this.#of(event.type).publish(event);
  }

  #of(name: MooringEventName): Channel {
    let found = this.#byName.get(name);
    if (found === undefined) {
      found = channel(`mooring:${name}`);
      this.#byName.set(name, found);
    }
    return found;
  }
}
