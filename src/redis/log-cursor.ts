import { isLaterId } from './stream-ids.js';
import type { BeatReply } from './replies.js';

/** Before every entry. */
const start = '0-0';

/** How far this process has read the log of a partition. */
export class LogCursor {
  #id = start;

  /** The id of the last entry that was applied. */
  get id(): string {
    return this.#id;
  }

  /** Whether entries after it were lost: the log was cut before they were read, or the server has an older one. */
  isLost({ firstId, lastId }: Pick<BeatReply, 'firstId' | 'lastId'>): boolean {
    if (this.#id === start) return false;
    return lastId === '' || isLaterId(this.#id, lastId) || isLaterId(firstId, this.#id);
  }

  /** Reads the log from its beginning. */
  restart(): void {
    this.#id = start;
  }

  applied(entries: BeatReply['entries']): void {
    this.#id = entries.at(-1)?.id ?? this.#id;
  }

  /** What came before is of no interest. @param lastId empty if there is no entry */
  startAfter(lastId: string): void {
    if (lastId !== '') this.#id = lastId;
  }
}
