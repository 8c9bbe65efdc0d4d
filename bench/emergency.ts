import type { EmergencyInput, EmergencyOutput } from './emergency-case.js';
import type { SocketsInput, SocketsOutput } from './sockets-case.js';
import { runCase } from './support/case.js';
import type { Summary } from './support/numbers.js';
import { show, type Bar, type Report, type Row } from './support/report.js';

/** Twice the time of a probe, and 100 ms. */
const mostForOneMs = 1_100;
const mostForAllMs = 5_000;

const fakeUrl = new URL('./emergency-case.js', import.meta.url);
const socketsUrl = new URL('./sockets-case.js', import.meta.url);

/** How long a newcomer waits whose user's 20 connections are all dead. */
export async function benchEmergency(isQuick: boolean): Promise<Report> {
  const inputs: EmergencyInput[] = [
    { users: 1, rounds: isQuick ? 3 : 20 },
    { users: 100, rounds: isQuick ? 1 : 5 },
    ...(isQuick ? [] : [{ users: 10_000, rounds: 3 }]),
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
  return {
    sockets,
    users: found.users,
    samples: found.admittedMs.count,
    ...columns('admitted', found.admittedMs),
    ...columns('20 freed', found.freedMs),
    refused: found.refused,
    'stalled ms': 'stalledMs' in found ? Math.round(found.stalledMs) : '',
  };
}

function barsOf(kind: string, found: EmergencyOutput | SocketsOutput): Bar[] {
  const { users, newcomers, admittedMs, freedMs, refused } = found;
  const bar = `${show(users)} at once, ${kind}`;
  return [
    users === 1
      ? timeBar(bar, Math.max(admittedMs.max, freedMs.max), { most: mostForOneMs, of: '' })
      : timeBar(bar, Math.max(admittedMs.p99, freedMs.p99), { most: mostForAllMs, of: 'p99 ' }),
    countBar(`${bar}: refused`, refused, 0),
    countBar(`${bar}: admitted`, admittedMs.count, newcomers),
    countBar(`${bar}: users with all 20 freed`, freedMs.count, newcomers),
  ];
}

function timeBar(bar: string, ms: number, { most, of }: { most: number; of: string }): Bar {
  return { bar, wanted: `${of}at most ${show(most)} ms`, got: `${show(ms)} ms`, isMet: ms <= most };
}

/** Times say nothing of those who have none. */
function countBar(bar: string, got: number, wanted: number): Bar {
  return { bar, wanted: show(wanted), got: show(got), isMet: got === wanted };
}
