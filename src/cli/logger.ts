import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';
import { inertFields } from '../presentation/inert.js';

/** How the server logs. */
export interface LogFlags {
  readonly logLevel: string;
  /** `pretty` for people, `json` for machines. @default pretty on a terminal, else json */
  readonly logFormat?: 'pretty' | 'json';
}

/** A logger to stdout. Written synchronously, so that the last lines before an exit are not lost. */
export function createLogger({ logLevel: level, logFormat }: LogFlags): Logger {
  const format = logFormat ?? (process.stdout.isTTY ? 'pretty' : 'json');
  const options = { level, base: null };
  // A client's text in a field must not be obeyed by the terminal of whoever reads.
  const forPeople = { ...options, formatters: { log: inertFields } };
  const destination = format === 'json' ? pino.destination({ fd: 1, sync: true }) : pretty({ sync: true });
  return pino(format === 'json' ? options : forPeople, destination);
}
