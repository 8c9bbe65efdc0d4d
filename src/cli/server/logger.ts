import { pino, type Logger } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { inertFields, inertJson } from '../../presentation/inert.js';
import { LogOutput, stdoutTaker } from './log-output.js';

/** How the server logs. */
export interface LogFlags {
  readonly logLevel: string;
  /** `pretty` for people, `json` for machines. @default pretty on a terminal, else json */
  readonly logFormat?: 'pretty' | 'json';
}

/** How long the end of the process waits for whoever reads the log, in milliseconds. */
const lastLinesMs = 250;

/**
 * A logger to stdout. It never waits for whoever reads: lines that find no room are dropped and counted. What waits at
 * the end of the process, also after a crash, is written as far as it is taken within a quarter of a second.
 */
export function createLogger({ logLevel: level, logFormat }: LogFlags): Logger {
  const format = logFormat ?? (process.stdout.isTTY ? 'pretty' : 'json');
  const output = new LogOutput({
    take: stdoutTaker(),
    whenDropped: (lines) => {
      logger.warn({ lines }, 'log.dropped: whoever reads this log was too slow, and so many lines are missing');
    },
  });
  process.once('exit', () => {
    output.flushWithin(lastLinesMs);
  });
  const pretty = prettyFactory({ colorize: process.stdout.isTTY });
  const write = (line: string): void => {
    output.write(format === 'json' ? inertJson(line) : pretty(line));
  };
  // A client's text in a field must not be obeyed by the terminal of whoever reads. JSON stays the same to machines.
  const forPeople = format === 'json' ? {} : { formatters: { log: inertFields } };
  const logger = pino({ level, base: null, ...forPeople }, { write });
  return logger;
}
