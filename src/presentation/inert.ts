/**
 * Characters that a terminal or a page would obey or hide: control characters (also those of 8 bits), line separators,
 * marks that change the direction of text, lone surrogates, and invisible characters: fillers, joiners, variation
 * selectors, tags, the blank of Braille.
 */
const active = /[\p{Cc}\p{Cs}\p{Default_Ignorable_Code_Point}\u2028\u2029\u2800\ufff9-\ufffb]/gu;

/** Makes text from elsewhere safe to show: characters that would be obeyed or hidden are written out, as `\u001b`. */
export function inert(text: string): string {
  return text.replace(active, written);
}

/** The same for JSON, which stays JSON. Its line breaks are its layout; those in texts are escaped already. */
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
