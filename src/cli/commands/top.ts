import { setTimeout as sleep } from 'node:timers/promises';
import { Option, type Command } from 'commander';
import { timeOf } from '../../presentation/figures.js';
import { CommandError, exitCodes } from '../command-error.js';
import type { Scene, Tell } from '../terminal/answers.js';
import { inertExceptColours, stdoutPaint } from '../terminal/paint.js';
import type { Screen } from '../terminal/screen.js';
import { onStopSignals } from '../terminal/stop-signals.js';
import type { AdminClient } from './admin-client.js';
import { asksServer, type ServerFlags } from './server-command.js';
import { durationWithin } from './values.js';

interface TopFlags extends ServerFlags {
  /** In milliseconds. */
  readonly every: number;
}

const examples = `
Examples:
  mooring top
  mooring top --every 500ms
  mooring top | head

On a terminal it runs until Ctrl-C; elsewhere it prints once.`;

/** Users that are shown if stdout is no terminal. */
const usersWithoutScreen = 20;

/** Users that are shown at most on a terminal. */
const mostUsers = 500;

/** Lines of the screen that show no user. */
const otherLines = 8;

/** `mooring top` */
export function addTop(program: Command): void {
  const command = program
    .command('top')
    .description('the server at a glance and its fullest users, live')
    .addOption(
      new Option('--every <duration>', 'time between refreshes, at least 100ms')
        .argParser(durationWithin(100, 3_600_000))
        .default(2_000, '2s'),
    );
  asksServer<TopFlags>(command, examples, async ({ flags, client, answers, print }) => {
    const scene = await readScene(client, usersWithoutScreen);
    if (!process.stdout.isTTY || flags.json === true) print(scene, answers.tellScene);
    else await refresh(client, flags.every, answers.tellScene);
  });
}

async function readScene(client: AdminClient, limit: number): Promise<Scene> {
  const [overview, users] = await Promise.all([client.overview(), client.users({ limit })]);
  return { overview, users };
}

/** Refreshes the screen until a signal ends the process. */
async function refresh(client: AdminClient, everyMs: number, tellScene: Tell<Scene>): Promise<never> {
  const { Screen } = await import('../terminal/screen.js');
  const screen = new Screen(process.stdout);
  const end = (): never => process.exit(exitCodes.ok);
  onStopSignals(end, end);
  screen.enter();
  for (;;) {
    screen.show(await sceneText(client, screen, tellScene));
    await sleep(everyMs);
  }
}

async function sceneText(client: AdminClient, { size }: Screen, tellScene: Tell<Scene>): Promise<string> {
  try {
    const scene = await readScene(client, Math.min(mostUsers, Math.max(1, size.rows - otherLines)));
    return inertExceptColours(tellScene(scene, stdoutPaint(), size.columns).text);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const title = stdoutPaint()('red', `No answer at ${timeOf(new Date())}; trying again until Ctrl-C.`);
    return [title, '', ...error.message.split('; ')].join('\n'); // in lines that fit most screens
  }
}
