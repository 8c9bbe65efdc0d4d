import { pino, type Logger } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { inertFields, inertJson } from '../../presentation/inert.js';
import { LogOutput, stdoutTaker } from './log-output.js';

/** The flags of the log. */
export interface LogFlags {
  readonly logLevel: string;
  /** @default pretty on a terminal, else json */
  readonly logFormat?: 'pretty' | 'json';
}

/** How long the end of the process waits for the reader of the log, in milliseconds. */
const lastLinesMs = 250;

/**
 * A logger to stdout. It never waits for the reader: lines beyond a limit are dropped and counted. At the end of the
 * process, also after a crash, the reader has a quarter of a second for the lines that wait.
 */
export function createLogger({ logLevel: level, logFormat }: LogFlags): Logger {
  const format = logFormat ?? (process.stdout.isTTY ? 'pretty' : 'json');
  const output = new LogOutput({
    take: stdoutTaker(),
    whenDropped: (lines) => {
      logger.warn({ lines }, 'log.dropped: the reader of this log was too slow, and so many lines are missing');
    },
  });
  process.once('exit', () => output.flushWithin(lastLinesMs));
  const pretty = prettyFactory({ colorize: process.stdout.isTTY });
  const write = (line: string): void => output.write(format === 'json' ? inertJson(line) : pretty(line));
  // A terminal must not obey the text of a client in a field. JSON is the same to machines either way.
  const forPeople = format === 'json' ? {} : { formatters: { log: inertFields } };
  const logger = pino({ level, base: null, ...forPeople }, { write });
  return logger;
}
