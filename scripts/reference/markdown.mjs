/** What all reference pages are made of. */

const notice = '<!-- Made from the code by `npm run docs`; change it there. -->';

/** @param {string} title @param {readonly string[]} lines */
export function page(title, lines) {
  return `${[`# ${title}`, '', notice, '', ...lines].join('\n')}\n`;
}

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
export function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');
}

/** @param {string} text */
function cell(text) {
  return text.replaceAll('|', '\\|');
}
