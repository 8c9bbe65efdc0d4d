import type { EmergencyInput, EmergencyOutput } from './emergency-case.js';
import type { SocketsInput, SocketsOutput } from './sockets-case.js';
import { runCase } from './support/case.js';
import type { Summary } from './support/numbers.js';
import { show, type Bar, type Report, type Row } from './support/report.js';

/** Limits if the connections fell silent before the last ping, and if not: then they get 3 s to answer. */
const maxAfterLongMs = 1_100;
const maxForOneMs = 3_300;
const maxForOthersMs = 300;
const maxForAllMs = 5_000;

/** Nearly an interval of the heartbeat, so that of twenty connections at least one was pinged more than 3 s ago. */
const longMs = 28_000;
const justNowMs = 100;

const fakeUrl = new URL('./emergency-case.js', import.meta.url);
const socketsUrl = new URL('./sockets-case.js', import.meta.url);

/** How long a newcomer waits if all 20 connections of its user are silent. */
export async function benchEmergency(isQuick: boolean): Promise<Report> {
  const inputs: EmergencyInput[] = [
    { users: 1, rounds: isQuick ? 1 : 10, silentForMs: justNowMs },
    { users: 100, rounds: 1, silentForMs: justNowMs },
    ...(isQuick ? [] : [{ users: 1, rounds: 1, silentForMs: longMs }]),
    ...(isQuick ? [] : [{ users: 10_000, rounds: 2, silentForMs: justNowMs }]),
  ];
  const fakes: EmergencyOutput[] = [];
  for (const input of inputs) fakes.push(await runCase(fakeUrl, input));
  const crowd = { users: isQuick ? 10 : 100, perUser: 20 } satisfies SocketsInput;
  const sockets = await runCase<SocketsOutput>(socketsUrl, crowd);
  const tables = [
    {
      caption: 'From the arrival of the newcomers, all at once, in ms of real time; 20 silent connections each',
      rows: [...fakes.map((found) => rowOf('fake', found)), rowOf('real, client process stopped', sockets)],
    },
  ];
  return {
    title: 'Emergency cleanup',
    tables,
    bars: [...fakes.flatMap((found) => barsOf('fake', found)), ...barsOf('real', sockets)],
    measured: { fakes, sockets },
  };
}

function rowOf(sockets: string, found: EmergencyOutput | SocketsOutput): Row {
  const columns = (name: string, { median, p99, max }: Summary): Row => ({
    [`${name} p50`]: Math.round(median),
    [`${name} p99`]: Math.round(p99),
    [`${name} max`]: Math.round(max),
  });
  const isFake = 'othersMs' in found;
  return {
    sockets,
    users: found.users,
    'silent for': found.silentForMs,
    samples: found.admittedMs.count,
    ...columns('admitted', found.admittedMs),
    'then others': isFake ? found.othersMs.count : '',
    'others p99': isFake ? Math.round(found.othersMs.p99) : '',
    'others max': isFake ? Math.round(found.othersMs.max) : '',
    refused: found.refused,
    'stalled ms': isFake ? Math.round(found.stalledMs) : '',
  };
}

function barsOf(kind: string, found: EmergencyOutput | SocketsOutput): Bar[] {
  const { users, newcomers, admittedMs, refused } = found;
  const since = 'othersMs' in found && found.silentForMs === longMs ? ', silent for 28 s' : '';
  const bar = `${show(users)} at once, ${kind}${since}`;
  return [
    firstBar(bar, found),
    countBar(`${bar}: refused`, refused, 0),
    countBar(`${bar}: admitted`, admittedMs.count, newcomers),
    ...('othersMs' in found ? othersBars(bar, found) : []),
  ];
}

function firstBar(bar: string, found: EmergencyOutput | SocketsOutput): Bar {
  const { users, admittedMs } = found;
  if ('othersMs' in found && found.silentForMs === longMs)
    return timeBar(bar, admittedMs.max, { max: maxAfterLongMs, of: '' });
  if (users === 1) return timeBar(bar, admittedMs.max, { max: maxForOneMs, of: '' });
  return timeBar(bar, admittedMs.p99, { max: maxForAllMs, of: 'p99 ' });
}

/** Newcomers that come while suspects are known do not wait. */
function othersBars(bar: string, { users, others, othersMs }: EmergencyOutput): Bar[] {
  const admitted = countBar(`${bar}: others admitted`, othersMs.count, others);
  if (users > 1) return [admitted];
  return [timeBar(`${bar}: 19 others`, othersMs.max, { max: maxForOthersMs, of: '' }), admitted];
}

function timeBar(bar: string, ms: number, { max, of }: { max: number; of: string }): Bar {
  return { bar, wanted: `${of}at most ${show(max)} ms`, got: `${show(ms)} ms`, isMet: ms <= max };
}

/** Newcomers that were not admitted have no time, so they are checked separately. */
function countBar(bar: string, got: number, wanted: number): Bar {
  return { bar, wanted: show(wanted), got: show(got), isMet: got === wanted };
}
