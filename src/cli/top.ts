import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError, type Command } from 'commander';
import type { Overview, UserPage } from '../admin/schemas.js';
import { alertLevels } from '../core/pressure/level.js';
import { readDuration } from '../core/settings.js';
import type { AdminClient } from './admin-client.js';
import { addAskFlags, clientOf, printAnswer, stdoutPaint, type AskFlags, type Told } from './asking.js';
import { CommandError } from './command-error.js';
import { levelColours, type Paint } from './paint.js';
import { spanOf } from './spans.js';
import { onStopSignals } from './stop-signals.js';
import { clipped } from './table.js';
import { userTable } from './users.js';

interface TopFlags extends AskFlags {
  readonly every: number;
}

/** What the screen shows. */
interface Scene {
  readonly overview: Overview;
  readonly users: UserPage;
}

const examples = `
Examples:
  mooring top
  mooring top --every 500ms
  mooring top | head

On a terminal until Ctrl-C; elsewhere it prints once.`;

/** Another screen without a cursor, and back again. */
const [enter, leave] = ['\u001b[?1049h\u001b[?25l', '\u001b[?25h\u001b[?1049l'];
const usersWithoutScreen = 20;

/** `mooring top` */
export function addTop(program: Command): void {
  const command = program
    .command('top')
    .description('the server at a glance and its fullest users, live')
    .option('--every <duration>', 'how often it is looked at, at least 100ms', readEvery, 2_000);
  addAskFlags(command)
    .addHelpText('after', examples)
    .action(async (flags: TopFlags) => {
      const client = clientOf(flags);
      const scene = await look(client, usersWithoutScreen);
      if (process.stdout.isTTY && flags.json !== true) await live(client, flags.every);
      else printAnswer(flags, scene, tellScene);
    });
}

async function look(client: AdminClient, limit: number): Promise<Scene> {
  const [overview, users] = await Promise.all([client.overview(), client.users({ limit })]);
  return { overview, users };
}

async function live(client: AdminClient, everyMs: number): Promise<void> {
  const end = new AbortController();
  const forget = onStopSignals(
    () => {
      end.abort();
    },
    (code) => process.exit(code),
  );
  process.stdout.write(enter);
  try {
    while (!end.signal.aborted) {
      process.stdout.write(screenOf(await sceneText(client)));
      await sleep(everyMs, undefined, { signal: end.signal }).catch(() => undefined);
    }
  } finally {
    process.stdout.write(leave);
    forget();
  }
}

async function sceneText(client: AdminClient): Promise<string> {
  try {
    const scene = await look(client, Math.min(500, Math.max(1, process.stdout.rows - 8)));
    return tellScene(scene, stdoutPaint()).text;
  } catch (error) {
    if (error instanceof CommandError) return error.message;
    throw error;
  }
}

/** Written over what was there, line by line, within the screen. */
function screenOf(text: string): string {
  const { rows, columns } = process.stdout;
  const lines = text.split('\n').slice(0, Math.max(1, rows - 1));
  return `\u001b[H${lines.map((line) => `${clipped(line, columns)}\u001b[K`).join('\n')}\u001b[J`;
}

/** The server at a glance, and its fullest users. */
export function tellScene({ overview, users }: Scene, paint: Paint): Told {
  const { version, now, startedAt, isDraining, managers, connections, waiting, limits, totals, usersByLevel } =
    overview;
  const sum = (counts: Readonly<Record<string, number>>): string =>
    String(Object.values(counts).reduce((total, count) => total + count, 0));
  const upFor = spanOf(Date.parse(now) - Date.parse(startedAt));
  const levels = alertLevels.map((level) => paint(levelColours[level], `${level} ${String(usersByLevel[level])}`));
  const lines = [
    `${paint('bold', `Mooring ${version}`)}, up for ${upFor}${isDraining ? paint('red', ', draining') : ''}`,
    `${String(managers)} managers of ${String(limits.total ?? 'any number')}, ${String(connections)} connected, ${String(waiting)} waiting`,
    `${String(totals.admitted)} admitted, ${String(totals.takenOver)} took over, ${sum(totals.refused)} refused, ${sum(totals.released)} released, ${sum(totals.cleaned)} of them by cleanups`,
    `${String(overview.users)} users: ${levels.join(', ')}`,
  ];
  const table = users.users.length === 0 ? '' : `\n${userTable(users.users, paint)}\n`;
  return { text: `${lines.join('\n')}\n${table}`, hasTrouble: false };
}

/** @throws InvalidArgumentError */
function readEvery(text: string): number {
  const read = readDuration(text);
  const ms = 'value' in read ? Number(read.value) : 0;
  if (ms >= 100 && ms <= 3_600_000) return ms;
  throw new InvalidArgumentError('Wanted a duration with its unit, from 100ms to 1h, such as 2s.');
}
