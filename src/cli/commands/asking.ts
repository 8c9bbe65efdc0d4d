import { Option, type Command } from 'commander';
import type { AdminClient } from './admin-client.js';
import { exitCodes } from '../command-error.js';
import { inertJson } from '../../presentation/inert.js';
import { paintFor, type Paint, inertExceptColours } from '../terminal/paint.js';
import { usualSize } from '../terminal/screen.js';

/** What every command that asks a running server was told. */
export interface AskFlags {
  readonly url?: string;
  readonly token?: string;
  readonly json?: boolean;
}

/** What a command has to say. */
export interface Told {
  /** For people. */
  readonly text: string;
  /** Whether something is wrong that a script should hear of. */
  readonly hasTrouble: boolean;
}

/** Where a server has its admin API unless told otherwise. */
export const defaultAdminUrl = 'http://127.0.0.1:9090';

/** Adds the flags that all commands have that ask a running server. */
export function addAskFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--url <url>', `admin API of the server (default: ${defaultAdminUrl})`).env('MOORING_ADMIN_URL'),
    )
    .addOption(
      new Option('--token <token>', 'token of the admin API; as a variable, others on this machine do not see it').env(
        'MOORING_ADMIN_TOKEN',
      ),
    )
    .option('--json', 'print what the API answers, as JSON');
}

/** The client these flags ask for; what it needs is loaded only now, so that help is quick. @throws CommandError */
export async function clientOf({ url = '', token }: AskFlags): Promise<AdminClient> {
  const { AdminClient } = await import('./admin-client.js');
  return new AdminClient({ url: url === '' ? defaultAdminUrl : url, token });
}

/** Colours, where stdout takes them. */
export function stdoutPaint(): Paint {
  return paintFor({ isTerminal: process.stdout.isTTY, env: process.env });
}

/** A terminal of unknown size is taken for a usual one. */
function stdoutColumns(): number {
  return process.stdout.isTTY ? process.stdout.columns || usualSize.columns : Infinity;
}

/** What an answer says to people. @param columns how many there are; Infinity where it is no terminal */
export type Tell<T> = (answer: T, paint: Paint, columns: number) => Told;

/** Prints an answer, for people or as JSON, and sets the exit code. */
export function printAnswer<T>(flags: AskFlags, answer: T, tell: Tell<T>): void {
  const { text, hasTrouble } = tell(answer, stdoutPaint(), stdoutColumns());
  process.stdout.write(
    flags.json === true ? `${inertJson(JSON.stringify(answer, null, 2))}\n` : inertExceptColours(text),
  );
  process.exitCode = hasTrouble ? exitCodes.trouble : exitCodes.ok;
}
