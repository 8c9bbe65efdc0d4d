/** Knows the timers that were set and have neither fired nor been cancelled. Import it before what it shall see. */

import { createHook } from 'node:async_hooks';

/** @type {Map<number, { readonly timer: NodeJS.Timeout, readonly setAt: string[] }>} */
const timers = new Map();

createHook({
  init(id, type, _, resource) {
    if (type !== 'Timeout') return;
    const { stack = '' } = new Error();
    const setAt = [...stack.matchAll(/node_modules\/(.*)\)?$/gm)].map(([, place = '']) => place);
    timers.set(id, { timer: /** @type {NodeJS.Timeout} */ (resource), setAt });
  },
  destroy: (id) => void timers.delete(id),
}).enable();

Error.stackTraceLimit = 30;

/** Where in packages those timers were set that Mooring set, or that keep this process alive. */
export function timersLeft() {
  return [...timers.values()]
    .filter(({ timer, setAt }) => (timer.hasRef() && setAt.length > 0) || setAt[0]?.startsWith('mooring/'))
    .map(({ setAt }) => setAt.slice(0, 6).join(' < '));
}
