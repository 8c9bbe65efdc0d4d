import type { JournalView } from '../../admin/schemas.js';
import { inert } from '../../presentation/inert.js';
import { outlookOf } from '../../presentation/releases.js';
import type { Paint } from './paint.js';
import { aligned } from './table.js';

/** A suspect, with the thread of its connection. */
type Suspect = JournalView['suspects'][number];

/** A line for each suspect: for how long it has not answered, and what it waits for. Empty without any. */
export function suspectLines(suspects: readonly Suspect[], paint: Paint): string {
  if (suspects.length === 0) return '';
  const rows = suspects.map((suspect) => [
    inert(suspect.threadId),
    `${paint('yellow', 'suspect')}: ${outlookOf(suspect)}`,
  ]);
  return `${aligned(rows)}\n`;
}
