import { readFileSync } from 'node:fs';
import { ConfigurationError } from '../../core/errors.js';
import { parseScript } from '../../simulation/script-schema.js';
import { runScript, type Script } from '../../simulation/script.js';
import { shortestBreaking } from '../../simulation/shrink.js';
import { smallWorld } from '../../simulation/small-world.js';
import { violationText } from '../terminal/day-table.js';
import { smallWorldCommand } from './replay-command.js';

/** Runs a small world. For a broken promise, prints the command that replays it, and the shortest script that fails. */
export async function runSmallWorld(seed: number): Promise<void> {
  const script = smallWorld(seed);
  const violation = await runScript(script);
  if (violation === null) {
    process.stdout.write(`seed ${String(seed)}: every promise kept in ${String(script.steps.length)} steps\n`);
    return;
  }
  process.exitCode = 1;
  process.stdout.write(`${violationText(violation)}\nReplay it with: ${smallWorldCommand(seed)}\n`);
  const shortest = await shortestBreaking(violation.invariant, script);
  process.stdout.write(
    `The shortest script that fails so, ${stepsOf(shortest)}; save it and replay it with --script:\n${linesOf(shortest)}\n`,
  );
}

/** Runs the script in a file. @throws ConfigurationError if it is not a valid script */
export async function replay(file: string): Promise<void> {
  const violation = await runScript(readScript(file));
  process.exitCode = violation === null ? 0 : 1;
  process.stdout.write(violation === null ? 'every promise kept\n' : `${violationText(violation)}\n`);
}

function readScript(file: string): Script {
  try {
    return parseScript(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const problems = error instanceof ConfigurationError ? error.problems : [(error as Error).message];
    throw new ConfigurationError(problems.map((problem) => `--script ${file}: ${problem}`));
  }
}

/** As JSON, with a line for each step. */
function linesOf({ steps, ...rest }: Script): string {
  const head = JSON.stringify(rest).slice(0, -1);
  return `${head},"steps":[\n${steps.map((step) => JSON.stringify(step)).join(',\n')}\n]}`;
}

function stepsOf({ steps }: Script): string {
  return steps.length === 1 ? '1 step' : `${String(steps.length)} steps`;
}
