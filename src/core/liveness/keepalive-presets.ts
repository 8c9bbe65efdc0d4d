/**
 * The keepalives of widely used protocols, as predicates on the content of a message.
 *
 * They follow the documents of these protocols: Engine.IO protocol 4; graphql-ws and
 * subscriptions-transport-ws; Phoenix channels (array and object serialisers); SignalR's hub protocol (JSON and
 * MessagePack); Action Cable; Pusher channels 7; Meteor DDP 1; STOMP 1.2; MQTT 3.1.1; NATS; OCPP-J 1.6 and 2.0.1; Discord's
 * gateway; Home Assistant; JSON-RPC 2.0 with `ping` (as MCP has it); PeerJS.
 */

const setOf = (words: string): ReadonlySet<string> => new Set(words.split(' '));

/** Words of keepalives, in lower case and without `-` and `_`. */
const words = setOf('ping pong ka keepalive heartbeat heartbeatack pusher:ping pusher:pong');

/** Whole texts: Engine.IO, STOMP (line ends alone), NATS, and bare words, also as a JSON string. */
const texts =
  /^(?:[23](?:probe)?|[\r\n]+|(?:ping|pong)(?:\r\n)?|heartbeat|keep-?alive|"(?:ping|pong|heartbeat|keep-?alive)")$/i;

/** Whether the whole message is a keepalive that is not JSON, or a JSON string. */
export function isKeepaliveText(text: string): boolean {
  return texts.test(text);
}

/** Binary keepalives: MQTT's PINGREQ and PINGRESP, SignalR's ping in MessagePack. */
const binary = Object.freeze([
  [0xc0, 0x00],
  [0xd0, 0x00],
  [0x02, 0x91, 0x06],
]);

/** Whether the whole message is a binary keepalive. */
export function isKeepaliveBytes(bytes: Uint8Array): boolean {
  return binary.some((one) => one.length === bytes.length && one.every((byte, index) => bytes[index] === byte));
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Keys whose value is the kind of the message, in lower case. */
const kindKeys = setOf(
  'type event action op method cmd command msg kind t opcode ' +
    'msgtype msg_type messagetype message_type eventtype event_type',
);

/** Whether a parsed object is a keepalive. */
export function isKeepaliveObject(value: unknown): boolean {
  if (!isFields(value)) return false;
  return isPlain(value) || isSignalR(value) || isDiscord(value) || isPhoenixObject(value) || isNamedByItsKey(value);
}

/** `{"type":"ping"}` and the like: a key names the kind, which is a keepalive, and no other key has content. */
function isPlain(fields: Fields): boolean {
  let hasWord = false;
  for (const [name, value] of Object.entries(fields)) {
    const key = name.toLowerCase();
    if (kindKeys.has(key) && isWord(value)) hasWord = true;
    else if (otherKeys.get(key)?.(value) !== true) return false;
  }
  return hasWord;
}

function isWord(value: unknown): boolean {
  return typeof value === 'string' && words.has(value.toLowerCase().replace(/[-_]/g, ''));
}

/** An identifier, a number or a time, as text. */
const token = /^[\w:.+/=-]{0,64}$/;

const isNumber = (value: unknown): boolean => typeof value === 'number' || value === null;
const isToken = (value: unknown): boolean => isNumber(value) || (typeof value === 'string' && token.test(value));
const isEmpty = (value: unknown): boolean => isNumber(value) || value === '' || value === '{}' || holdsNothing(value);
const isYes = (value: unknown): boolean => value === true || value === 'ok';

const timesAndCounters = setOf('ts t time timestamp date now seq id nonce');

/** An empty array or object, or an object of times and counters alone. */
function holdsNothing(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return isFields(value) && Object.entries(value).every(([key, each]) => timesAndCounters.has(key) && isToken(each));
}

const rows = <T>(keys: string, value: T): (readonly [string, T])[] => keys.split(' ').map((key) => [key, value]);

/** What other keys may have, by key in lower case: ids of the message, times, versions, counters and empty payloads. */
const otherKeys: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  ...rows('id ref join_ref seq sequence s n nonce cid rid uuid', isToken),
  ...rows('reqid req_id requestid request_id reply_to replyto', isToken),
  ...rows('ts time timestamp timestampms date now sentat sent_at', isToken),
  ...rows('clienttime client_time servertime server_time createdat created_at', isToken),
  ...rows('v version jsonrpc', isToken),
  ...rows('t count counter rtt latency interval message', isNumber),
  ...rows('d data payload params body args', isEmpty),
  ...rows('ok success status', isYes),
]);

const hasOnly = (fields: Fields, keys: readonly string[]): boolean =>
  Object.keys(fields).every((key) => keys.includes(key));

/** `{"type":6}` */
function isSignalR(fields: Fields): boolean {
  return fields['type'] === 6 && hasOnly(fields, ['type']);
}

/** Heartbeat (1, with the last sequence number) and its acknowledgement (11). */
function isDiscord(fields: Fields): boolean {
  const { op, d, s = null, t = null } = fields;
  if (!hasOnly(fields, ['op', 'd', 's', 't']) || s !== null || t !== null) return false;
  return op === 11 ? d === undefined || d === null : op === 1 && isNumber(d);
}

function isPhoenixObject(fields: Fields): boolean {
  const { topic, event, payload, ref = null, join_ref = null } = fields;
  return (
    hasOnly(fields, ['topic', 'event', 'payload', 'ref', 'join_ref']) &&
    topic === 'phoenix' &&
    isPhoenix(event, payload) &&
    isToken(ref) &&
    isToken(join_ref)
  );
}

/** On the topic `phoenix` all answers are to heartbeats. */
function isPhoenix(event: unknown, payload: unknown): boolean {
  if (event === 'heartbeat') return payload === undefined || isEmpty(payload);
  if (event !== 'phx_reply' || !isFields(payload)) return false;
  const { response = {}, status = 'ok' } = payload;
  return hasOnly(payload, ['response', 'status']) && isEmpty(response) && status === 'ok';
}

/** `{"ping":1492420473027}`, `{"pong":{}}` */
function isNamedByItsKey(fields: Fields): boolean {
  const [entry, ...others] = Object.entries(fields);
  if (entry === undefined || others.length > 0) return false;
  const [key, value] = entry;
  return isWord(key) && (value === true || isNumber(value) || holdsNothing(value));
}

/** Whether a parsed array is a keepalive: of Phoenix's array serialiser, or of OCPP. */
export function isKeepaliveArray(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const [first, second, third, fourth] = value as unknown[];
  switch (value.length) {
    case 3:
      return first === 3 && isToken(second) && isOcppAnswer(third);
    case 4:
      return first === 2 && isToken(second) && third === 'Heartbeat' && isEmpty(fourth);
    case 5:
      return isToken(first) && isToken(second) && third === 'phoenix' && isPhoenix(fourth, (value as unknown[])[4]);
    default:
      return false;
  }
}

/** In OCPP, only the answer to a heartbeat consists of the time alone. */
function isOcppAnswer(value: unknown): boolean {
  if (!isFields(value)) return false;
  const { currentTime } = value;
  return hasOnly(value, ['currentTime']) && typeof currentTime === 'string' && token.test(currentTime);
}
