import { Option, type Command } from 'commander';
import { AdminClient } from './admin-client.js';
import { exitCodes } from './command-error.js';
import { inertJson } from './inert.js';
import { paintFor, type Paint } from './paint.js';

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

const defaultUrl = 'http://127.0.0.1:9090';

/** Adds the flags that all commands have that ask a running server. */
export function addAskFlags(command: Command): Command {
  return command
    .addOption(new Option('--url <url>', `admin API of the server (default: ${defaultUrl})`).env('MOORING_ADMIN_URL'))
    .addOption(
      new Option('--token <token>', 'token of the admin API; as a variable, others on this machine do not see it').env(
        'MOORING_ADMIN_TOKEN',
      ),
    )
    .option('--json', 'print what the API answers, as JSON');
}

/** The client these flags ask for. @throws CommandError */
export function clientOf({ url = '', token }: AskFlags): AdminClient {
  return new AdminClient({ url: url === '' ? defaultUrl : url, token });
}

/** Colours, where stdout takes them. */
export function stdoutPaint(): Paint {
  return paintFor({ isTerminal: process.stdout.isTTY, env: process.env });
}

/** Prints an answer, for people or as JSON, and sets the exit code. */
export function printAnswer<T>(flags: AskFlags, answer: T, tell: (answer: T, paint: Paint) => Told): void {
  const { text, hasTrouble } = tell(answer, stdoutPaint());
  process.stdout.write(flags.json === true ? `${inertJson(JSON.stringify(answer, null, 2))}\n` : text);
  process.exitCode = hasTrouble ? exitCodes.trouble : exitCodes.ok;
}
