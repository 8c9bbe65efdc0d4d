import type { CloseEventLike } from './should-reconnect.js';

export interface WatchdogOptions {
  /**
   * What asks the server whether the connection works: a text such as `'{"type":"ping"}'`, or bytes. The server must
   * answer it, with any message. Take one that Mooring recognises as a keepalive, so that asking is no activity of the user.
   */
  readonly message: string | ArrayBuffer;
  /** After how many milliseconds without a message the watchdog asks. @default 30000 */
  readonly intervalMs?: number;
  /** How many milliseconds the server has for an answer. @default 10000 */
  readonly answerWithinMs?: number;
  /**
   * Called at once when no answer came. Why: after `close()` a browser waits for the other side before it emits
   * `close`; Chromium waits a minute. Gets what that event would say: `{ code: 1006, reason: '' }`.
   */
  readonly onLost?: (event: CloseEventLike) => void;
}

/** Half of the longest wait of a timer in browsers and Node: both times are added once. */
const maxTimerMs = 1_073_741_823;

/**
 * The options with their defaults.
 * @throws TypeError if one is not valid
 */
export function checkedWatchdogOptions(options: WatchdogOptions) {
  const given: { readonly message?: unknown } = options;
  const { intervalMs = 30_000, answerWithinMs = 10_000, onLost } = options;
  const isMessage = (typeof given.message === 'string' && given.message !== '') || given.message instanceof ArrayBuffer;
  if (!isMessage)
    throw mistake(
      'message',
      given.message,
      `a text that the server answers, such as '{"type":"ping"}', or an ArrayBuffer`,
    );
  const times: Readonly<Record<string, unknown>> = { intervalMs, answerWithinMs };
  for (const [name, value] of Object.entries(times))
    if (typeof value !== 'number' || !(value >= 1 && value <= maxTimerMs))
      throw mistake(name, value, `milliseconds from 1 to ${String(maxTimerMs)}`);
  return { message: options.message, intervalMs, answerWithinMs, onLost };
}

function mistake(name: string, got: unknown, wanted: string): TypeError {
  return new TypeError(`watchdog: ${name}: got ${shown(got)}, wanted ${wanted}`);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (value === null || value === undefined || typeof value === 'number') return String(value);
  return `a value of type ${typeof value}`;
}
