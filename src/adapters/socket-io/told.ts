import { explainClose } from '../../client/explain-close.js';
import type { Told } from '../../client/reconnect-when-told.js';
import type { RefusalError } from '../../core/errors.js';
import type { HttpRejection } from '../attempt.js';

export function toldOf({ code, reason }: { readonly code: number; readonly reason: string }): Told {
  const { cause, retry, delayMs, max } = explainClose({ code, reason });
  return { cause, code, retryAfterMs: retry ? delayMs : null, max };
}

/** The error with which a CONNECT is refused. Its message is the close reason; its `data` is what the client is told. */
export function connectError({ close }: RefusalError): Error & { data: Told } {
  return Object.assign(new Error(close.reason), { data: toldOf(close) });
}

/** With what the request is answered that was to begin a session. */
export function rejectionText({ reason, retryAfterMs }: HttpRejection): string {
  return retryAfterMs === undefined ? reason : `${reason};retry=${(retryAfterMs / 1_000).toFixed(2)}`;
}
