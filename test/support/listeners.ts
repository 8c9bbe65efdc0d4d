import type { Mooring } from '../../src/index.js';

/** Counts who listens to single events of a Mooring, from now on. @returns how many there are */
export function countListeners({ events }: Mooring): () => number {
  const listening = new Set<object>();
  const on = events.on.bind(events);
  events.on = (name, listener) => {
    const end = on(name, listener);
    listening.add(end);
    return () => {
      listening.delete(end);
      end();
    };
  };
  return () => listening.size;
}
