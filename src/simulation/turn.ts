/** After everything that can happen in this turn of the process's own event loop: promises, signals, rejections. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
