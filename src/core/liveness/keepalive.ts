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
  phoenixObject: /^\{(?=[^[]*"topic"\s*:\s*"phoenix")(?=[^[]*"event"\s*:\s*"(heartbeat|phx_reply)")[^[]*\}$/,
  signalR: /^\{\s*"type"\s*:\s*6\s*\}\P{L}?$/u,
  bare: /^(ping|pong)$/i,
} satisfies Record<string, RegExp>);

const patterns = Object.values(keepalivePatterns);

/** The first characters any of the patterns can begin with: 2 3 { [ p P. */
const beginnings: ReadonlySet<number> = new Set([0x32, 0x33, 0x7b, 0x5b, 0x70, 0x50]);

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
  if (length === 0 || length > longestKeepalive) return false;
  const first = typeof message === 'string' ? message.charCodeAt(0) : (message[0] ?? 0);
  if (!beginnings.has(first)) return false;
  const text = typeof message === 'string' ? message : latin1(message);
  return patterns.some((pattern) => pattern.test(text));
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
