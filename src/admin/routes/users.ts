import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { EmergencyCleanupResult } from '../../core/cleanup/emergency-run.js';
import type { CleanupResult } from '../../core/cleanup/requested.js';
import { routineStrategyNames } from '../../core/vocabulary.js';
import type { JournalEntry } from '../../core/diagnostics/journal.js';
import type { Mooring } from '../../core/mooring.js';
import { totalOf } from '../../presentation/releases.js';
import type { AdminApp, AdminEnv, AdminParts } from '../parts.js';
import { notFound } from '../problems.js';
import {
  cleanupSchema,
  journalSchema,
  levelSchema,
  releasedSchema,
  resourcesSchema,
  userPageSchema,
  userSchema,
  type CleanupView,
  type JournalView,
} from '../schemas.js';
import { sortings } from '../census.js';
import { pageOf } from '../user-list.js';
import { viewManager, viewResources } from '../views.js';
import { act, tellReleased, type Act } from './acting.js';
import { apiRoute, dryRun, idParams, jsonBody, readId } from './route.js';

const listQuery = z.strictObject({
  level: levelSchema.optional(),
  search: z.string().max(256).optional().describe('Part of a user id, in any case.'),
  sort: z
    .enum(sortings)
    .default('usage')
    .describe('`usage`: the fullest first; `idle`: the one left alone longest first; `id`.'),
  limit: z.coerce.number().int().min(1).max(500).default(50).describe('How many are on a page.'),
  cursor: z.string().max(2_000).optional().describe('`nextCursor` of the page before.'),
});

const managers = z.int().min(0).max(1_000_000);

const cleanupBody = z.strictObject({
  strategies: z.array(z.enum(routineStrategyNames)).min(1).optional().describe('All of them unless given.'),
  dryRun,
});
const emergencyBody = z.strictObject({
  evict: managers
    .optional()
    .describe('Evict up to so many managers that are not engaged, beside those that are dead, abandoned or failed.'),
  keep: managers
    .optional()
    .describe(
      'Evict managers that are not engaged until so many are left; who is dead, abandoned or failed goes all the same. With `evict`: no more than either says.',
    ),
  dryRun,
});

/** Users: who has how much, why, and what to do about it. */
export function addUserRoutes(app: AdminApp, parts: AdminParts): void {
  addLists(app, parts);
  addReads(app, parts);
  addCheck(app, parts);
  addCleanups(app, parts);
  addReleaseAll(app, parts);
}

function addLists(app: AdminApp, { census }: AdminParts): void {
  app.openapi(
    apiRoute(
      { method: 'get', path: '/api/v1/users', request: { query: listQuery }, summary: 'Users, a page at a time' },
      { description: 'A page.', schema: userPageSchema },
    ),
    async (c) => {
      const wanted = c.req.valid('query');
      const { users, takenAt } = await census.take(wanted.sort);
      const page = pageOf(users, wanted);
      const summaries = page.users.map((user) => census.summarise(user));
      return c.json({ ...page, users: summaries, asOf: takenAt.toISOString() }, 200);
    },
  );
}

function addReads(app: AdminApp, parts: AdminParts): void {
  const { mooring } = parts;
  app.openapi(
    apiRoute(
      {
        method: 'get',
        path: '/api/v1/users/{id}',
        request: { params: idParams },
        summary: 'A user and their managers',
      },
      { description: 'As of now.', schema: userSchema },
    ),
    (c) => {
      const userId = knownUser(mooring, c.req.valid('param').id);
      const managers = mooring.managersOf(userId).map((manager) => viewManager(manager, mooring));
      const waiting = mooring.waitingCountOf(userId);
      const journalEntries = mooring.journal.of(userId).length;
      return c.json({ ...viewResources(mooring.monitor.lookAt(userId)), waiting, managers, journalEntries }, 200);
    },
  );
  app.openapi(
    apiRoute(
      {
        method: 'get',
        path: '/api/v1/users/{id}/journal',
        request: { params: idParams },
        summary: 'What was lately decided about a user',
      },
      { description: 'Also of users who hold nothing any longer.', schema: journalSchema },
    ),
    (c) => {
      const { journal } = mooring;
      const written = c.req.valid('param').id;
      const userId = journal.isKept ? knownUser(mooring, written) : readId(written);
      const entries = journal.of(userId).map(viewEntry);
      return c.json({ userId, isKept: journal.isKept, entries, suspects: suspectsOf(mooring, userId) }, 200);
    },
  );
}

function addCheck(app: AdminApp, parts: AdminParts): void {
  const { mooring } = parts;
  app.openapi(
    apiRoute(
      {
        method: 'post',
        path: '/api/v1/users/{id}/check',
        request: { params: idParams },
        summary: "Look at a user's usage and act as after an admission",
      },
      { description: 'As it is then.', schema: resourcesSchema },
    ),
    async (c) => {
      const resources = await actOnUser(parts, c, {
        ...{ action: 'check', id: c.req.valid('param').id },
        run: (userId) => mooring.monitor.checkUserResources(userId),
        tell: ({ managerCount, maxManagers, alertLevel }) =>
          `${String(managerCount)}${maxManagers === Infinity ? '' : ` of ${String(maxManagers)}`}, ${alertLevel}`,
      });
      return c.json(viewResources(resources), 200);
    },
  );
}

function addCleanups(app: AdminApp, parts: AdminParts): void {
  const { mooring } = parts;
  app.openapi(
    apiRoute(
      {
        method: 'post',
        path: '/api/v1/users/{id}/cleanup',
        request: { params: idParams, body: jsonBody(cleanupBody) },
        summary: 'Ask whether the connections are there; release the dead, the idle, the failed',
      },
      { description: 'Who went, or would go, and why.', schema: cleanupSchema },
    ),
    async (c) => {
      const { strategies, dryRun: isDry } = c.req.valid('json');
      const request = { dryRun: isDry, ...(strategies !== undefined && { strategies }) };
      const result = await actOnUser(parts, c, {
        ...{ action: nameOf('cleanup', isDry), id: c.req.valid('param').id },
        run: async (userId) => viewOf(await mooring.cleanup(userId, request)),
        tell: tellCleanup,
      });
      return c.json(result, 200);
    },
  );
  app.openapi(
    apiRoute(
      {
        method: 'post',
        path: '/api/v1/users/{id}/emergency-cleanup',
        request: { params: idParams, body: jsonBody(emergencyBody) },
        summary: 'The same with the patience of an emergency, and evictions where asked for',
      },
      { description: 'Who went, or would go, and why.', schema: cleanupSchema },
    ),
    async (c) => {
      const { dryRun: isDry, evict, keep } = c.req.valid('json');
      const wanted = { ...(evict !== undefined && { evict }), ...(keep !== undefined && { keep }) };
      const result = await actOnUser(parts, c, {
        ...{ action: nameOf('emergency-cleanup', isDry), id: c.req.valid('param').id },
        run: async (userId) =>
          isDry
            ? viewOf(await mooring.previewEmergencyCleanup(userId, wanted))
            : viewOfEmergency(await mooring.emergencyCleanup(userId, wanted)),
        tell: tellCleanup,
      });
      return c.json(result, 200);
    },
  );
}

function addReleaseAll(app: AdminApp, parts: AdminParts): void {
  const { mooring } = parts;
  app.openapi(
    apiRoute(
      {
        method: 'delete',
        path: '/api/v1/users/{id}/managers',
        request: { params: idParams },
        summary: 'Release all managers of a user',
      },
      { description: 'How many.', schema: releasedSchema },
    ),
    async (c) => {
      const released = await actOnUser(parts, c, {
        ...{ action: 'release-all', id: c.req.valid('param').id },
        run: (userId) => mooring.releaseAll(userId),
        tell: tellReleased,
      });
      return c.json({ released }, 200);
    },
  );
}

/** What is done to a user, who is named as in the path. */
interface UserAct<T> extends Pick<Act<T>, 'action' | 'tell'> {
  readonly id: string;
  readonly run: (userId: string) => T | Promise<T>;
}

/** Does it. @throws ProblemError where nothing is known of the user */
function actOnUser<T>(parts: AdminParts, c: Context<AdminEnv>, { id, run, ...told }: UserAct<T>): Promise<T> {
  const userId = knownUser(parts.mooring, id);
  return act(parts, c, { ...told, userId, run: () => run(userId) });
}

function suspectsOf(mooring: Mooring, userId: string): JournalView['suspects'] {
  return mooring.managersOf(userId).flatMap((manager) => {
    const suspect = mooring.suspicionOf(manager);
    return suspect === null ? [] : [{ threadId: manager.threadId, ...suspect }];
  });
}

function viewEntry({ atMs, ...entry }: JournalEntry): JournalView['entries'][number] {
  return { at: new Date(atMs).toISOString(), ...entry };
}

/** A user with managers, newcomers or a story. @throws ProblemError 400 or 404 */
function knownUser(mooring: Mooring, written: string): string {
  const userId = readId(written);
  const { journal } = mooring;
  const isKnown =
    mooring.managerCountOf(userId) > 0 || mooring.waitingCountOf(userId) > 0 || journal.of(userId).length > 0;
  if (isKnown) return userId;
  throw notFound(
    'This user holds no manager, and nothing is known of one they had.',
    'Ids are case-sensitive; mooring users --search, or GET /api/v1/users?search=, finds them by a part.',
  );
}

function nameOf<Name extends 'cleanup' | 'emergency-cleanup'>(
  action: Name,
  isDry: boolean,
): Name | `${Name} (dry run)` {
  return isDry ? `${action} (dry run)` : action;
}

function viewOf(result: CleanupResult): CleanupView {
  return { ...result, chosen: [...result.chosen], attempts: 1, timedOut: false };
}

function viewOfEmergency(result: EmergencyCleanupResult): CleanupView {
  return { ...result, chosen: [...result.chosen], dryRun: false };
}

function tellCleanup({ byStrategy, cleaned, remaining, dryRun: isDry }: CleanupView): string {
  const what = isDry ? `${String(totalOf(byStrategy))} would be released` : tellReleased(cleaned);
  return `${what}, ${String(remaining)} left`;
}
