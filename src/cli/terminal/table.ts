/** What colours, as `paint` writes them. */
// eslint-disable-next-line no-control-regex -- colours are control characters
const colours = /\u001b\[\d+m/g;

const uncoloured = '\u001b[0m';

/** Marks that sit on the character before. */
const combining = /\p{M}/u;

/** What takes two columns on a terminal: most of East Asia, and emoji. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;

/** How many columns a text takes on a terminal. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text.replace(colours, '')) width += columnsOf(character);
  return width;
}

/** The text, or as much of its beginning as fits into so many columns, with `…`; in its colours. */
export function clipped(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  const parts = text.split(colours);
  const painted = text.match(colours) ?? [];
  let [kept, left, isCut] = ['', columns - 1, false];
  for (const [index, part] of parts.entries()) {
    for (const character of part) {
      isCut ||= columnsOf(character) > left;
      if (isCut) break;
      left -= columnsOf(character);
      kept += character;
    }
    if (isCut) break;
    kept += painted[index] ?? '';
  }
  return `${kept}…${painted.length > 0 ? uncoloured : ''}`;
}

/** What stays of a first column that has to give way. */
const leastFirst = 12;

/** The widest cell that moves the rest of all rows, where nothing is cut: one id of 256 columns would for thousands. */
const mostPadded = 40;

/**
 * Rows with their cells below each other.
 * @param columns how many there are; where rows are longer, their first cells give way, down to twelve columns. Infinity:
 * nothing is cut, and a first cell of more than 40 columns moves the rest of its own row only
 */
export function aligned(rows: readonly (readonly string[])[], columns = Infinity): string {
  const [firsts = [], ...others] = (rows[0] ?? []).map((_, column) => rows.map((row) => widthOf(row[column] ?? '')));
  const widths = others.map(largest);
  const room = columns - widths.reduce((sum, width) => sum + gap.length + width, 0);
  const kept = firstWidth(firsts, room);
  return rows
    .map(([cell = '', ...rest]) => [
      padded(room === Infinity ? cell : clipped(cell, kept), kept),
      ...rest.map((each, i) => padded(each, widths[i])),
    ])
    .map((row) => row.join(gap).trimEnd())
    .join('\n');
}

function firstWidth(widths: readonly number[], room: number): number {
  if (room === Infinity) return largest(widths.filter((width) => width <= mostPadded));
  return Math.min(largest(widths), Math.max(leastFirst, room));
}

const gap = '  ';

function padded(cell: string, width = 0): string {
  return cell + ' '.repeat(Math.max(0, width - widthOf(cell)));
}

function columnsOf(character: string): number {
  if (combining.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

/** Not `Math.max(...)`: a hundred thousand users are more arguments than a call takes. */
function largest(widths: readonly number[]): number {
  return widths.reduce((most, width) => Math.max(most, width), 0);
}
