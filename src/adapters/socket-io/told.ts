import { explainClose, type CloseCauseName } from '../../client/explain-close.js';
import type { RefusalError } from '../../core/errors.js';

/** What a client is told before its session is closed, and when it is refused. */
export interface Told {
  readonly cause: CloseCauseName;
  /** The close code of Mooring, though Socket.IO has none of its own. */
  readonly code: number;
  /** In how many milliseconds to come back; `null`: not by itself. */
  readonly retryAfterMs: number | null;
  /** How many connections the user may have, if that is the cause; else `null`. */
  readonly max: number | null;
}

export function toldOf({ code, reason }: { readonly code: number; readonly reason: string }): Told {
  const { cause, retry, delayMs, max } = explainClose({ code, reason });
  return { cause, code, retryAfterMs: retry ? delayMs : null, max };
}

/** The error with which a CONNECT is refused. Its message is the close reason; its `data` is what the client is told. */
export function connectError({ close }: RefusalError): Error & { data: Told } {
  return Object.assign(new Error(close.reason), { data: toldOf(close) });
}
