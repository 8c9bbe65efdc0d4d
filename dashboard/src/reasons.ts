import { duration } from './format.js';

/** Why somebody goes, or would go, as a cleanup tells it. */
export function reasonOf(chosen: {
  readonly strategy: string;
  readonly idleMs: number;
  readonly silentMs: number;
  readonly limitMs: number | null;
  readonly finding?: string | null;
}): string {
  const limit = chosen.limitMs === null ? '' : `, allowed ${duration(chosen.limitMs)}`;
  switch (chosen.strategy) {
    case 'disconnected':
      return goneHow(chosen);
    case 'idle':
      return `abandoned: unused for ${duration(chosen.idleMs)}${limit}`;
    case 'error':
      return `failed: its error stands${limit && `, ${limit.slice(2)}`}`;
    default:
      return `the one left alone longest: unused for ${duration(chosen.idleMs)}${limit}`;
  }
}

function goneHow({
  finding,
  silentMs,
  limitMs,
}: Pick<Parameters<typeof reasonOf>[0], 'finding' | 'silentMs' | 'limitMs'>) {
  const silent = `silent for ${duration(silentMs)}`;
  if (finding === 'silent') return `suspect: no answer when asked, ${silent}`;
  if (finding === 'stuck')
    return `too slow: its unsent data did not move${limitMs === null ? '' : ` for ${duration(limitMs)}`}`;
  if (finding === 'overfull') return overfull;
  return `dead: ${deadHow[finding ?? ''] ?? ''}${silent}`;
}

/** What is said of a connection that takes less than it is sent. */
export const overfull = 'too slow: more unsent data waited for it than maxUnsentBytes allows';

/** What showed that a connection was dead, by its finding. */
export const deadHow: Readonly<Record<string, string>> = {
  closed: 'found closed, ',
  silent: 'no answer to heartbeats, ',
};

/** `has not answered for 29 s; gives its place to a newcomer, else the heartbeat ends it in at most 40 s` */
export function outlookOf({
  unansweredMs,
  endsInMs,
}: {
  readonly unansweredMs: number;
  readonly endsInMs: number | null;
}): string {
  const end = endsInMs === null ? '' : ` in at most ${duration(endsInMs)}`;
  return `has not answered for ${duration(unansweredMs)}; gives its place to a newcomer, else the heartbeat ends it${end}`;
}
