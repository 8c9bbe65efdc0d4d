/**
 * What a terminal or a page would obey or hide instead of showing: control characters (those of 8 bits among them), line
 * separators, marks that turn the direction of text, halves of characters, and letters that cannot be seen: fillers,
 * joiners, variation selectors, tags, the blank of Braille.
 */
const active = /[\p{Cc}\p{Cs}\p{Default_Ignorable_Code_Point}\u2028\u2029\u2800\ufff9-\ufffb]/gu;

/** Text from elsewhere as it may be shown to people: what would be obeyed, or not be seen, is written out, as `\u001b`. */
export function inert(text: string): string {
  return text.replace(active, written);
}

/** The same for JSON, which stays JSON. Its line breaks are its layout; those in text are written out already. */
export function inertJson(json: string): string {
  return json.replace(active, (character) => (character === '\n' ? character : written(character)));
}

/** The same for the fields of a log line: every text in them, and in plain objects and arrays within. */
export function inertFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [inert(name), inertValue(value)]));
}

function inertValue(value: unknown): unknown {
  if (typeof value === 'string') return inert(value);
  if (Array.isArray(value)) return value.map(inertValue);
  return isPlain(value) ? inertFields(value) : value;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function written(text: string): string {
  return Array.from({ length: text.length }, (_, index) => text.charCodeAt(index))
    .map((unit) => String.raw`\u` + unit.toString(16).padStart(4, '0'))
    .join('');
}
