/** Resolves in the next turn of the real event loop: after promises that can settle now, signals and rejections. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
