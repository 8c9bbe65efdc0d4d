import { isKeepaliveArray, isKeepaliveBytes, isKeepaliveObject, isKeepaliveText } from './keepalive-presets.js';

/** The longest message that the presets can match, in bytes or UTF-16 units. */
const longestPreset = 128;

/** A message as sockets give it. */
export type Message = string | Uint8Array;

/**
 * Whether a message only keeps its connection open, in one of the widely used protocols: it shows that the peer is alive,
 * but it is no activity. Only messages of at most 128 bytes can be keepalives. Never throws.
 *
 * Why: a tab that was not used for hours still sends these.
 */
export function isKeepalive(message: Message): boolean {
  if (message.length > longestPreset) return false;
  const start = afterSpace(message, 0);
  switch (unitAt(message, start)) {
    case units.brace:
      return mayBeObject(message, start) && isKeepaliveObject(parsed(message));
    case units.bracket:
      return mayBeArray(message, start + 1) && isKeepaliveArray(parsed(message));
    default:
      return message.length <= longestWord && mayBeWord(message) && isKeepaliveWord(message);
  }
}

/** `"keep-alive"` with its quotes. */
const longestWord = 12;

function isKeepaliveWord(message: Message): boolean {
  return isKeepaliveText(textOf(message)) || (typeof message !== 'string' && isKeepaliveBytes(message));
}

// The functions below look at a few characters, by which nearly all other messages are recognised without parsing. They let through everything that the presets match. Why: parsing would double the cost of each message.

const units = Object.freeze({
  lineFeed: 0x0a,
  carriageReturn: 0x0d,
  space: 0x20,
  quote: 0x22,
  comma: 0x2c,
  one: 0x31,
  two: 0x32,
  three: 0x33,
  six: 0x36,
  colon: 0x3a,
  bracket: 0x5b,
  capitalH: 0x48,
  n: 0x6e,
  p: 0x70,
  brace: 0x7b,
});

/** Three letters as one number, so that no strings are made of parts of a message. */
const triple = (letters: string): number =>
  tripleOf(letters.charCodeAt(0), letters.charCodeAt(1), letters.charCodeAt(2));

function tripleOf(first: number, second: number, third: number): number {
  return (first << 16) | (second << 8) | third;
}

/** The three letters at an index, in lower case. */
const lowerCaseAt = (message: Message, index: number): number =>
  tripleOf(unitAt(message, index), unitAt(message, index + 1), unitAt(message, index + 2)) | 0x20_20_20;

const triples = (list: string): number[] => list.split('|').map(triple);

const decisiveKeys = triples('typ|eve|act|op"|opc|met|cmd|com|msg|mes|kin|top|cou|pin|pon|hea|kee|ka"');
const otherKeys = triples(
  'id"|ref|res|joi|seq|s":|s" |n":|n" |non|cid|rid|uui|req|rep|ts"|tim|dat|now|sen|cli|ser|cre|' +
    't":|t" |v":|v" |ver|jso|rtt|lat|int|d":|d" |pay|par|bod|arg|ok"|suc|sta',
);

/** By the first three letters of a key, in lower case: whether its value decides if the message may be a keepalive. */
const keys: ReadonlyMap<number, boolean> = new Map([
  ...decisiveKeys.map((letters) => [letters, true] as const),
  ...otherKeys.map((letters) => [letters, false] as const),
]);

/** As the first key, `t` is the kind of the message. After others it may be a time in their values. */
const firstKeys: ReadonlyMap<number, boolean> = new Map([
  ...keys,
  ...triples('t":|t" ').map((letters) => [letters, true] as const),
]);

/** The first three letters of words of keepalives, and of `phoenix` and `phx_reply`. */
const beginnings: ReadonlySet<number> = new Set(triples('pin|pon|pus|pho|phx|hea|kee|ka"'));

/** The first units of bare words, binary keepalives and line ends. */
const wordStarts: ReadonlySet<number> = new Set([
  units.two,
  units.three,
  units.lineFeed,
  units.carriageReturn,
  2,
  0xc0,
  0xd0,
]);

function mayBeWord(message: Message): boolean {
  const unit = unitAt(message, 0);
  return wordStarts.has(unit) || beginnings.has(lowerCaseAt(message, unit === units.quote ? 1 : 0));
}

/** Checks one key after the other, those of nested objects too, until one decides. */
function mayBeObject(message: Message, from: number): boolean {
  const first = nextOf(message, from, units.quote);
  let start = first;
  while (start < message.length) {
    const end = nextOf(message, start + 1, units.quote);
    const colon = afterSpace(message, end + 1);
    if (unitAt(message, colon) === units.colon) {
      const letters = lowerCaseAt(message, start + 1);
      const isDecisive = start === first ? firstKeys.get(letters) : keys.get(letters);
      if (isDecisive === undefined) return false;
      const answer = isDecisive ? mayBeKind(message, afterSpace(message, colon + 1), letters) : null;
      if (answer !== null) return answer;
    }
    start = nextOf(message, end + 1, units.quote);
  }
  return true;
}

/** Numbers that mean a keepalive: SignalR's type and Discord's opcodes (1 and 11), by their first digit. */
const numbers: ReadonlyMap<number, number> = new Map([
  [triple('typ'), units.six],
  [triple('op"'), units.one],
]);

/** Whether the value of a decisive key may be that of a keepalive; `null` if it may be a time or a counter. */
function mayBeKind(message: Message, at: number, letters: number): boolean | null {
  const unit = unitAt(message, at);
  if (unit !== units.quote) {
    const number = numbers.get(letters);
    return number === undefined ? null : number === unit;
  }
  return beginnings.has(lowerCaseAt(message, at + 1));
}

/** OCPP's `[2,"id","Heartbeat",{}]` and `[3,"id",{"currentTime":…}]`, Phoenix's `[null,"7","phoenix",…]`. */
function mayBeArray(message: Message, from: number): boolean {
  const first = afterSpace(message, from);
  const unit = unitAt(message, first);
  const isCall = unit === units.two || unit === units.three;
  if (!isCall && unit !== units.quote && unit !== units.n) return false;
  const third = afterSpace(message, nextOf(message, nextOf(message, first, units.comma) + 1, units.comma) + 1);
  if (unitAt(message, third) === units.brace) return unit === units.three;
  return unitAt(message, third + 1) === (isCall ? units.capitalH : units.p);
}

/** The next index of the unit; the length if there is none. */
function nextOf(message: Message, from: number, unit: number): number {
  if (typeof message === 'string') {
    for (let index = from; index < message.length; index++) if (message.charCodeAt(index) === unit) return index;
  } else {
    for (let index = from; index < message.length; index++) if (message[index] === unit) return index;
  }
  return message.length;
}

/** The index of the next unit that is no white space; control characters count as it. */
function afterSpace(message: Message, from: number): number {
  let index = from;
  while (unitAt(message, index) <= units.space) index += 1;
  return index;
}

function unitAt(message: Message, index: number): number {
  return typeof message === 'string' ? message.charCodeAt(index) : (message[index] ?? NaN);
}

const separator = '\u001e';

/** The parsed JSON; `undefined` if it is not valid. SignalR ends its messages with a record separator. */
function parsed(message: Message): unknown {
  try {
    const text = textOf(message);
    return JSON.parse(text.endsWith(separator) ? text.slice(0, -1) : text);
  } catch {
    return undefined;
  }
}

/** Byte by byte, as the words of the presets are ASCII. */
function textOf(message: Message): string {
  return typeof message === 'string' ? message : String.fromCharCode(...message);
}
