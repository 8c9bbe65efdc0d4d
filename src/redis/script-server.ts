import type { Reply } from './replies.js';
import type { ScriptName } from './scripts.js';

/** A call of a script. */
export interface ScriptCall {
  readonly name: ScriptName;
  /** All keys of the script, in the order of its contract. */
  readonly keys: readonly string[];
  /** All arguments of the script, in the order of its contract. */
  readonly arguments: readonly string[];
}

/** Runs scripts on a Redis. */
export interface ScriptServer {
  /**
   * Sends a call, over the same connection as those before it, as soon as there is one. It may settle late or never, and what failed may have been
   * done all the same.
   * @param isWanted whether somebody still waits for the reply: if not, it is not sent a second time
   */
  run(call: ScriptCall, isWanted: () => boolean): Promise<Reply>;
  /** Leaves the connection, with everything that was sent over it, for a new one. */
  reconnect(): void;
  /** Why there is no connection now; `null` if there is one, or nothing is known. */
  readonly trouble: unknown;
  /** Closes the connection. Never rejects. */
  close(): Promise<void>;
}
