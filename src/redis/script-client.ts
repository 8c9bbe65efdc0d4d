import type { Reply } from './replies.js';
import type { ScriptName } from './scripts.js';

/** A call of a script: what is sent to Redis. */
export interface ScriptCall {
  readonly name: ScriptName;
  /** All keys of the script, in the order of its contract. */
  readonly keys: readonly string[];
  /** All arguments of the script, in the order of its contract. */
  readonly arguments: readonly string[];
}

/** Sends the calls of scripts to a Redis, and hands their replies back. */
export interface ScriptClient {
  /**
   * Sends a call as soon as there is a connection, over the same connection as the calls before it. The promise may settle
   * late or never. If it rejects, Redis may have run the script all the same.
   * @param isWanted whether the caller still waits for the reply: if not, the call is not sent a second time
   */
  send(call: ScriptCall, isWanted: () => boolean): Promise<Reply>;
  /** Makes a new connection, and gives the old one up, with all calls that were sent over it. */
  reconnect(): void;
  /** Why there is no connection now; `null` if there is one, or nothing is known. */
  readonly trouble: unknown;
  /** Closes the connection. Never rejects. */
  close(): Promise<void>;
}
