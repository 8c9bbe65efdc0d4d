/**
 * What a terminal would obey or hide instead of showing: control characters, line separators, marks that turn the
 * direction of text, and halves of characters.
 */
const active =
  /[\p{Cc}\p{Cs}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** Text from elsewhere as it may be shown on a terminal: what would be obeyed is written out, as `\u001b`. */
export function inert(text: string): string {
  return text.replace(active, written);
}

/** The same for JSON, which stays JSON. Its line breaks are its layout; those in text are written out already. */
export function inertJson(json: string): string {
  return json.replace(active, (character) => (character === '\n' ? character : written(character)));
}

function written(text: string): string {
  return Array.from({ length: text.length }, (_, index) => text.charCodeAt(index))
    .map((unit) => String.raw`\u` + unit.toString(16).padStart(4, '0'))
    .join('');
}
