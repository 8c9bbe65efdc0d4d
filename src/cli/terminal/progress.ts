/** Where a line can be written over, on a terminal only. */
interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Writes over the line that is there; an empty text clears it. Nothing happens unless it is a terminal. */
export function showProgress(text: string, terminal: Terminal = process.stderr): void {
  if (terminal.isTTY === true) terminal.write(`\r\u001b[K${text}`);
}
