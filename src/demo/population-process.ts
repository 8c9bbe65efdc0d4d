/** The people of the demo, in a process of their own. Started by `startPopulation`; ends when that process does. */
import { cast } from './cast.js';
import { Person, type Stage } from './person.js';

/** A message to the process that started this one. */
export interface Told {
  readonly who: string;
  readonly text: string;
}

/** A terminal sends Ctrl-C to all its processes. This one goes on until the server has closed all connections. */
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
process.on('disconnect', () => process.exit(0));
// The parent may have ended while this was loaded.
if (!process.connected) process.exit(0);

const stage: Stage = {
  url: process.argv[2] ?? '',
  threadIdPrefix: process.argv[3] ?? '',
  tell: (who, text) => process.send?.({ who, text } satisfies Told, () => undefined),
};

await Promise.all(Object.entries(cast).map(([userId, play]) => play(new Person(stage, userId))));
