/** The longest message that can be a keepalive, in bytes or UTF-16 units. */
const longestKeepalive = 96;

/**
 * What protocols send to keep a connection open, as one pattern each, on the whole message.
 * Sources: Engine.IO protocol 4; graphql-ws PROTOCOL.md; Phoenix channels (array and object serialisers);
 * SignalR HubProtocol.md (type 6); Action Cable; and the plain `{"type":"ping"}` many applications use.
 */
export const keepalivePatterns = Object.freeze({
  engineIo: /^[23](probe)?$/,
  typePingOrPong:
    /^\{\s*"type"\s*:\s*"(ping|pong|ka|keepalive|heartbeat)"\s*(,\s*"(id|ts|time|timestamp|t|message|payload)"\s*:\s*("[^"]*"|[0-9.]+|null|\{\}))?\s*\}$/,
  phoenixArray:
    /^\[\s*(null|"[^"]*")\s*,\s*(null|"[^"]*")\s*,\s*"phoenix"\s*,\s*"(heartbeat|phx_reply)"\s*,\s*\{[^[\]]*\}\s*\]$/,
  phoenixObject:
    /^\{(?=\s*"(topic|event|payload|ref|join_ref)")(?=[^[]*"topic"\s*:\s*"phoenix")(?=[^[]*"event"\s*:\s*"(heartbeat|phx_reply)")[^[]*\}$/,
  signalR: /^\{\s*"type"\s*:\s*6\s*\}\P{L}?$/u,
  bare: /^(ping|pong)$/i,
} satisfies Record<string, RegExp>);

const patterns = Object.values(keepalivePatterns);

/** A message as sockets give it. */
export type Message = string | Uint8Array;

/**
 * Whether a message only keeps its connection open: evidence of life, but no activity. Never throws.
 *
 * Why: a tab nobody has looked at for hours sends these; they must not make it look used.
 * @source spec section 2 "activity"
 */
export function isKeepalive(message: Message): boolean {
  const { length } = message;
  if (length === 0 || length > longestKeepalive || !mayBeKeepalive(message)) return false;
  const text = typeof message === 'string' ? message : latin1(message);
  return patterns.some((pattern) => pattern.test(text));
}

/**
 * A look at a few characters, which nearly every message fails that is none. It must let through whatever one of the
 * patterns matches.
 *
 * Why: every message comes through here, and decoding it and trying the patterns takes as long as all the rest.
 */
function mayBeKeepalive(message: Message): boolean {
  switch (unitAt(message, 0)) {
    case units.brace:
      return mayBeObject(message);
    case units.bracket:
      return namesPhoenix(message);
    default:
      return message.length <= longestBare;
  }
}

/** `2probe` */
const longestBare = 6;

const units = Object.freeze({ quote: 0x22, six: 0x36, bracket: 0x5b, h: 0x68, k: 0x6b, p: 0x70, x: 0x78, brace: 0x7b });

/** The first two letters of a key, as one number. */
const lettersAt = (message: Message, index: number): number =>
  (unitAt(message, index) << 8) | unitAt(message, index + 1);

const type = 0x7479;

/** topic, event, payload, ref, join_ref */
const phoenixKeys: ReadonlySet<number> = new Set([0x746f, 0x6576, 0x7061, 0x7265, 0x6a6f]);

/** The first key decides: `"type"`, or one of Phoenix's. */
function mayBeObject(message: Message): boolean {
  const quote = nextOf(message, 1, units.quote);
  const letters = lettersAt(message, quote + 1);
  if (letters === type) return hasKeepaliveType(message, quote + 6);
  return phoenixKeys.has(letters) && namesPhoenix(message);
}

/** The value is 6, or begins as the words of the pattern do. */
function hasKeepaliveType(message: Message, from: number): boolean {
  for (let index = from; index < message.length; index++) {
    const unit = unitAt(message, index);
    if (unit === units.six) return true;
    if (unit !== units.quote) continue;
    const first = unitAt(message, index + 1);
    return first === units.p || first === units.k || first === units.h;
  }
  return false;
}

/** Whether `phoenix` may be in it: it ends in the letter that is seldom elsewhere. */
function namesPhoenix(message: Message): boolean {
  if (typeof message === 'string') return message.includes('phoenix');
  const start = 'phoenix'.length;
  for (let x = nextOf(message, start, units.x); x < message.length; x = nextOf(message, x + 1, units.x)) {
    if (unitAt(message, x - 1) === 0x69 && unitAt(message, x - 2) === 0x6e) return true;
  }
  return false;
}

/** Where the unit comes next; the length where it does not. */
function nextOf(message: Message, from: number, unit: number): number {
  let index = from;
  while (index < message.length && unitAt(message, index) !== unit) index += 1;
  return index;
}

function unitAt(message: Message, index: number): number {
  return typeof message === 'string' ? message.charCodeAt(index) : (message[index] ?? 0);
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
