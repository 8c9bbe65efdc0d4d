import { isLaterId } from './stream-ids.js';
import type { BeatReply } from './replies.js';

/** Before every entry. */
const start = '0-0';

/** How far this process has read the log of a partition. */
export class LogCursor {
  #id = start;
  /** An entry that the log had, applied or not. */
  #seenId = start;

  /** The id of the last entry that was applied. */
  get id(): string {
    return this.#id;
  }

  /** Whether entries after it were lost: the log was cut before they were read, or the server has an older one. */
  isLost({ firstId, lastId }: Pick<BeatReply, 'firstId' | 'lastId'>): boolean {
    if (this.#seenId === start) return false;
    const neededId = this.#id === start ? this.#seenId : this.#id;
    return lastId === '' || isLaterId(this.#seenId, lastId) || isLaterId(firstId, neededId);
  }

  /** Reads the log from its beginning. */
  restart(): void {
    this.#id = start;
    this.#seenId = start;
  }

  applied(entries: BeatReply['entries']): void {
    this.#id = entries.at(-1)?.id ?? this.#id;
    this.saw(this.#id);
  }

  /** What came before is of no interest. @param lastId empty if there is no entry */
  startAfter(lastId: string): void {
    if (lastId !== '') this.#id = lastId;
    this.saw(lastId);
  }

  /** The log has this entry: if it has it no longer before it is read, others may be lost. @param id empty for none */
  saw(id: string): void {
    if (id !== '' && isLaterId(id, this.#seenId)) this.#seenId = id;
  }
}
