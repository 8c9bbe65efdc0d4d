import type { z } from '@hono/zod-openapi';
import { describe } from '../../core/errors.js';
import type { AdminAction } from '../../events/edge-events.js';
import { totalOf } from '../../presentation/releases.js';
import type { AdminApp, AdminParts } from '../parts.js';
import type { CleanupView } from '../schemas.js';
import { addRoute, type Answer, type Parameters, type RouteShape } from './route.js';

/** The user or the manager that an action is about; neither if it is about all users. */
interface Target {
  readonly userId?: string;
  readonly key?: string;
}

type ActionRoute<P extends Parameters, B, A extends Answer, T extends Target> = RouteShape<P, Parameters, B, A> & {
  readonly action: (body: B) => AdminAction;
  /** Finds what the action is about. If the path is wrong, it throws: that is no action yet, and is not told. */
  readonly target: (params: z.output<P>) => T;
  readonly act: (target: T, body: B) => NoInfer<A> | Promise<NoInfer<A>>;
  /** The result in a few words, for the event. */
  readonly resultText: (result: NoInfer<A>) => string;
};

/**
 * Adds a route that acts: it finds the target, acts on it, and answers with the result. Each action is told as the event
 * `admin.acted`, with the name of the operator, also if it fails.
 */
export function addActionRoute<P extends Parameters, B, A extends Answer, T extends Target>(
  app: AdminApp,
  { mooring }: AdminParts,
  { action, target, act, resultText, ...route }: ActionRoute<P, B, A, T>,
): void {
  addRoute(app, {
    ...route,
    handle: async ({ params, body, c }) => {
      const on = target(params);
      const { userId = null, key = null } = on;
      const event = { who: c.get('who').name, action: action(body), userId, key };
      try {
        const result = await act(on, body);
        mooring.events.emit('admin.acted', { ...event, outcome: 'done', result: resultText(result) });
        return result;
      } catch (error) {
        mooring.events.emit('admin.acted', { ...event, outcome: 'failed', result: `failed: ${describe(error)}` });
        throw error;
      }
    },
  });
}

/** The name of an action that can be a dry run. */
export function cleanupAction(name: 'cleanup' | 'emergency-cleanup' | 'background-cleanup') {
  return ({ dryRun }: { readonly dryRun: boolean }): AdminAction => (dryRun ? `${name} (dry run)` : name);
}

export function releasedText({ released }: { readonly released: number }): string {
  return `${String(released)} released`;
}

/** How many managers a cleanup released, or would release. */
export function cleanedText({
  dryRun,
  byStrategy,
  cleaned,
}: Pick<CleanupView, 'dryRun' | 'byStrategy' | 'cleaned'>): string {
  return dryRun ? `${String(totalOf(byStrategy))} would be released` : releasedText({ released: cleaned });
}
