import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Overview, UserPage } from '../../admin/schemas.js';
import { alertLevels } from '../../core/vocabulary.js';
import { readDuration } from '../../core/durations.js';
import { bytes, counted, duration, timeOf } from '../../presentation/figures.js';
import { inert } from '../../presentation/inert.js';
import type { AdminClient } from './admin-client.js';
import { addAskFlags, clientOf, printAnswer, stdoutPaint, type AskFlags, type Told } from './asking.js';
import { CommandError, exitCodes } from '../command-error.js';
import { inertExceptColours, levelColours, type Paint } from '../terminal/paint.js';
import { Screen } from '../terminal/screen.js';
import { onStopSignals } from '../terminal/stop-signals.js';
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

const usersWithoutScreen = 20;

/** Users on the largest screen, and the lines a screen has besides. */
const [mostUsers, linesAround] = [500, 8];

/** `mooring top` */
export function addTop(program: Command): void {
  const command = program
    .command('top')
    .description('the server at a glance and its fullest users, live')
    .addOption(
      new Option('--every <duration>', 'how often it is looked at, at least 100ms')
        .argParser(readEvery)
        .default(2_000, '2s'),
    );
  addAskFlags(command)
    .addHelpText('after', examples)
    .action(async (flags: TopFlags) => {
      const client = await clientOf(flags);
      const scene = await look(client, usersWithoutScreen);
      if (!process.stdout.isTTY || flags.json === true) printAnswer(flags, scene, tellScene);
      else await live(client, flags.every);
    });
}

async function look(client: AdminClient, limit: number): Promise<Scene> {
  const [overview, users] = await Promise.all([client.overview(), client.users({ limit })]);
  return { overview, users };
}

/** Until a signal ends the process, whatever is being waited for. */
async function live(client: AdminClient, everyMs: number): Promise<never> {
  const screen = new Screen(process.stdout);
  const end = (): never => process.exit(exitCodes.ok);
  onStopSignals(end, end);
  screen.enter();
  for (;;) {
    screen.show(await sceneText(client, screen));
    await sleep(everyMs);
  }
}

async function sceneText(client: AdminClient, { size: { rows, columns } }: Screen): Promise<string> {
  try {
    const scene = await look(client, Math.min(mostUsers, Math.max(1, rows - linesAround)));
    return inertExceptColours(tellScene(scene, stdoutPaint(), columns).text);
  } catch (error) {
    if (error instanceof CommandError) return tellFailure(error, stdoutPaint());
    throw error;
  }
}

/** Why there is nothing to show, in lines that fit most screens; the next look may succeed. */
function tellFailure({ message }: CommandError, paint: Paint): string {
  const lines = message.split('; ');
  return [paint('red', `No answer at ${timeOf(new Date())}; trying again until Ctrl-C.`), '', ...lines].join('\n');
}

/** The server at a glance, and its fullest users. */
export function tellScene({ overview, users }: Scene, paint: Paint, columns = Infinity): Told {
  const { version, uptimeMs, isDraining, managers, connections, waiting, limits, totals, usersByLevel } = overview;
  const { suspects, unsentBytes } = overview;
  const sum = (counts: Readonly<Record<string, number>>): string =>
    String(
      Object.values<unknown>(counts).reduce<number>(
        (total, count) => total + (typeof count === 'number' ? count : 0),
        0,
      ),
    );
  const upFor = duration(uptimeMs);
  const levels = alertLevels.map((level) => paint(levelColours[level], `${level} ${String(usersByLevel[level])}`));
  const lines = [
    `${paint('bold', `Mooring ${inert(version)}`)}, up for ${upFor}${isDraining ? paint('red', ', draining') : ''}`,
    `${String(managers)} managers${limits.total === null ? '' : ` of ${String(limits.total)}`}, ${String(connections)} connected, ${String(waiting)} waiting`,
    `${counted(suspects, 'suspect')}, ${bytes(unsentBytes.sum)} unsent, at most ${bytes(unsentBytes.largest)} of them to one connection`,
    `${String(totals.admitted)} admitted, ${String(totals.takenOver)} took over, ${sum(totals.refused)} refused, ${sum(totals.released)} released, ${sum(totals.cleaned)} of them by cleanups`,
    `${counted(overview.users, 'user')}: ${levels.join(', ')}`,
  ];
  const table = users.users.length === 0 ? '' : `\n${userTable(users.users, paint, columns)}\n`;
  return { text: `${lines.join('\n')}\n${table}`, hasTrouble: false };
}

/** @throws InvalidArgumentError */
function readEvery(text: string): number {
  const read = readDuration(text);
  const ms = 'value' in read ? read.value : 0;
  if (ms >= 100 && ms <= 3_600_000) return ms;
  throw new InvalidArgumentError('Wanted a duration with its unit, from 100ms to 1h, such as 2s.');
}
