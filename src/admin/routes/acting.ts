import type { Context } from 'hono';
import type { AdminAction } from '../../events/edge-events.js';
import type { AdminEnv, AdminParts } from '../parts.js';
import { describe } from '../../core/errors.js';

/** What is done, and to whom. */
export interface Act<T> {
  readonly action: AdminAction;
  readonly userId?: string;
  readonly key?: string;
  readonly run: () => T | Promise<T>;
  /** What came of it, in a few words. */
  readonly tell: (result: T) => string;
}

/** How many went, in words. */
export function tellReleased(count: number): string {
  return `${String(count)} released`;
}

/** Does it, and says who did what and what came of it: also where it failed. */
export async function act<T>(
  { mooring }: AdminParts,
  c: Context<AdminEnv>,
  { action, userId, key, run, tell }: Act<T>,
): Promise<T> {
  const said = { who: c.get('who').name, action, userId: userId ?? null, key: key ?? null };
  try {
    const result = await run();
    mooring.events.emit('admin.acted', { ...said, outcome: 'done', result: tell(result) });
    return result;
  } catch (error) {
    mooring.events.emit('admin.acted', { ...said, outcome: 'failed', result: `failed: ${describe(error)}` });
    throw error;
  }
}
