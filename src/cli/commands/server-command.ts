import { Option, type Command } from 'commander';
import { inertJson } from '../../presentation/inert.js';
import { exitCodes } from '../command-error.js';
import { defaultAdminUrl } from '../server/defaults.js';
import type * as Answers from '../terminal/answers.js';
import { inertExceptColours, stdoutColumns, stdoutPaint } from '../terminal/paint.js';
import type { AdminClient } from './admin-client.js';

/** The flags of every command that asks a running server. */
export interface ServerFlags {
  readonly url?: string;
  readonly token?: string;
  readonly json?: boolean;
}

/** What such a command works with. */
interface ServerCommand<Flags> {
  readonly flags: Flags;
  /** The first argument of the command. */
  readonly user: string;
  readonly client: AdminClient;
  readonly answers: typeof Answers;
  /** Prints an answer, for people or as JSON, and sets the exit code. */
  readonly print: <T>(answer: T, tell: Answers.Tell<T>) => void;
}

/**
 * Makes a command one that asks a running server: adds the flags and the examples.
 * @param run the action. What it works with is loaded only now, so that help is quick
 */
export function asksServer<Flags extends ServerFlags>(
  command: Command,
  examples: string,
  run: (given: ServerCommand<Flags>) => Promise<void>,
): void {
  command
    .addOption(
      new Option('--url <url>', `admin API of the server (default: ${defaultAdminUrl})`).env('MOORING_ADMIN_URL'),
    )
    .addOption(
      new Option('--token <token>', 'token of the admin API; as a variable, others on this machine do not see it').env(
        'MOORING_ADMIN_TOKEN',
      ),
    )
    .option('--json', 'print the answer of the API, as JSON')
    .addHelpText('after', examples)
    .action(async () => {
      const [{ AdminClient }, answers] = await Promise.all([
        import('./admin-client.js'),
        import('../terminal/answers.js'),
      ]);
      const flags = command.opts<Flags>();
      const { url = '', token } = flags;
      const client = new AdminClient({ url: url === '' ? defaultAdminUrl : url, token });
      await run({
        flags,
        user: command.args[0] ?? '',
        client,
        answers,
        print: (answer, tell) => {
          const { text, hasTrouble } = tell(answer, stdoutPaint(), stdoutColumns());
          process.stdout.write(
            flags.json === true ? `${inertJson(JSON.stringify(answer, null, 2))}\n` : inertExceptColours(text),
          );
          process.exitCode = hasTrouble ? exitCodes.trouble : exitCodes.ok;
        },
      });
    });
}
