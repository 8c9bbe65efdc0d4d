import stringWidth from 'string-width';

/** The colours that `paint` writes. */
// eslint-disable-next-line no-control-regex -- colours are control characters
const colours = /\u001b\[\d+m/g;

const uncoloured = '\u001b[0m';

/** How many columns a text takes on a terminal. */
export function widthOf(text: string): number {
  return isPlainAscii.test(text) ? text.length : stringWidth(text);
}

/** Most cells are plain ASCII, and need not be cut into graphemes. */
const isPlainAscii = /^[\x20-\x7e]*$/;

const graphemes = new Intl.Segmenter();

/** The text, or as much of its beginning as fits into so many columns, with `…`; in its colours. */
export function clipped(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  const painted = text.match(colours) ?? [];
  let kept = '';
  let left = columns - 1;
  for (const [index, part] of text.split(colours).entries()) {
    for (const { segment } of graphemes.segment(part)) {
      left -= widthOf(segment);
      if (left < 0) return `${kept}…${painted.length > 0 ? uncoloured : ''}`;
      kept += segment;
    }
    kept += painted[index] ?? '';
  }
  return kept;
}

/** The first cells are cut to at least so many columns. */
const leastFirst = 12;

/** If nothing is cut, a wider first cell moves only its own row: else one id of 256 columns would move thousands. */
const mostPadded = 40;

/**
 * Rows as a table with aligned columns.
 * @param columns the width of the terminal: if rows are wider, their first cells are cut, down to twelve columns. With
 * Infinity nothing is cut, and a first cell of more than 40 columns moves only its own row
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

/** Not `Math.max(...)`: a hundred thousand users are more arguments than a call takes. */
function largest(widths: readonly number[]): number {
  return widths.reduce((most, width) => Math.max(most, width), 0);
}
