import { z } from '@hono/zod-openapi';
import type { EmergencyCleanupResult } from '../../core/cleanup/emergency-run.js';
import type { CleanupResult } from '../../core/cleanup/requested.js';
import type { Mooring } from '../../core/mooring.js';
import { routineStrategyNames } from '../../core/vocabulary.js';
import { sortings } from '../census.js';
import type { AdminApp, AdminParts } from '../parts.js';
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
import { pageOf } from '../user-list.js';
import { viewManager, viewResources } from '../views.js';
import { addActionRoute, cleanupAction, cleanedText, releasedText } from './acting.js';
import { addRoute, dryRun, idParams, readId } from './route.js';

const listQuery = z.strictObject({
  level: levelSchema.optional(),
  search: z.string().max(256).optional().describe('Part of a user id, in any case.'),
  sort: z
    .enum(sortings)
    .default('usage')
    .describe('`usage`: the fullest first; `idle`: the longest idle first; `id`: by id.'),
  limit: z.coerce.number().int().min(1).max(500).default(50).describe('How many are on a page.'),
  cursor: z.string().max(2_000).optional().describe('`nextCursor` of the page before.'),
});

const managers = z.int().min(0).max(1_000_000).optional();

const cleanupBody = z.strictObject({
  strategies: z.array(z.enum(routineStrategyNames)).min(1).optional().describe('All of them by default.'),
  dryRun,
});
const emergencyBody = z.strictObject({
  evict: managers.describe(
    'Evict at most this many managers that are not engaged, beside releasing the dead, abandoned and failed ones.',
  ),
  keep: managers.describe(
    'Evict managers that are not engaged until this many are left; the dead, abandoned and failed ones are released in any case. With `evict`: no more than either allows.',
  ),
  dryRun,
});

/** Routes about users: what they hold, why, and what to do about it. */
export function addUserRoutes(app: AdminApp, parts: AdminParts): void {
  addReads(app, parts);
  addCheck(app, parts);
  addCleanups(app, parts);
  addReleaseAll(app, parts);
}

function addReads(app: AdminApp, { mooring, census }: AdminParts): void {
  addRoute(app, {
    route: 'GET /users',
    summary: 'Users, a page at a time',
    query: listQuery,
    response: { description: 'A page.', schema: userPageSchema },
    handle: async ({ query }) => {
      const { users, takenAt } = await census.take(query.sort);
      const page = pageOf(users, query);
      return { ...page, users: page.users.map((user) => census.summarise(user)), asOf: takenAt.toISOString() };
    },
  });
  addRoute(app, {
    route: 'GET /users/{id}',
    summary: 'A user and their managers',
    params: idParams,
    response: { description: 'As of now.', schema: userSchema },
    handle: ({ params }) => {
      const userId = knownUser(mooring, params.id);
      return {
        ...viewResources(mooring.monitor.lookAt(userId)),
        waiting: mooring.waitingCountOf(userId),
        managers: mooring.managersOf(userId).map((manager) => viewManager(manager, mooring)),
        journalEntries: mooring.journal.of(userId).length,
      };
    },
  });
  addRoute(app, {
    route: 'GET /users/{id}/journal',
    summary: 'What was lately decided about a user',
    params: idParams,
    response: { description: 'Also of users that hold no manager any longer.', schema: journalSchema },
    handle: ({ params: { id } }) => {
      const { isKept } = mooring.journal;
      const userId = isKept ? knownUser(mooring, id) : readId(id);
      const entries = mooring.journal
        .of(userId)
        .map(({ atMs, ...entry }) => ({ at: new Date(atMs).toISOString(), ...entry }));
      return { userId, isKept, entries, suspects: suspectsOf(mooring, userId) };
    },
  });
}

function addCheck(app: AdminApp, parts: AdminParts): void {
  const { mooring } = parts;
  addActionRoute(app, parts, {
    route: 'POST /users/{id}/check',
    summary: "Look at a user's usage and act as after an admission",
    response: { description: 'As it is then.', schema: resourcesSchema },
    ...ofUser(mooring),
    action: () => 'check',
    act: ({ userId }) => viewResources(mooring.monitor.checkUserResources(userId)),
    resultText: ({ managerCount, maxManagers, alertLevel }) =>
      `${String(managerCount)}${maxManagers === null ? '' : ` of ${String(maxManagers)}`}, ${alertLevel}`,
  });
}

function addCleanups(app: AdminApp, parts: AdminParts): void {
  const { mooring } = parts;
  const cleanup = {
    ...ofUser(mooring),
    response: { description: 'The managers that were released, or would be, and why.', schema: cleanupSchema },
    resultText: (result: CleanupView): string => `${cleanedText(result)}, ${String(result.remaining)} left`,
  };
  addActionRoute(app, parts, {
    route: 'POST /users/{id}/cleanup',
    summary: 'Ping the connections of a user, and release those that are dead, idle or failed',
    body: cleanupBody,
    ...cleanup,
    action: cleanupAction('cleanup'),
    act: async ({ userId }, { dryRun: isDry, strategies }) =>
      viewCleanup(await mooring.cleanup(userId, { dryRun: isDry, ...(strategies !== undefined && { strategies }) })),
  });
  addActionRoute(app, parts, {
    route: 'POST /users/{id}/emergency-cleanup',
    summary: 'The same with the shorter idle limits of an emergency, and with evictions if the body asks for them',
    body: emergencyBody,
    ...cleanup,
    action: cleanupAction('emergency-cleanup'),
    act: async ({ userId }, { dryRun: isDry, evict, keep }) => {
      const wanted = { ...(evict !== undefined && { evict }), ...(keep !== undefined && { keep }) };
      const running = isDry
        ? mooring.previewEmergencyCleanup(userId, wanted)
        : mooring.emergencyCleanup(userId, wanted);
      return viewCleanup(await running);
    },
  });
}

function addReleaseAll(app: AdminApp, parts: AdminParts): void {
  const { mooring } = parts;
  addActionRoute(app, parts, {
    route: 'DELETE /users/{id}/managers',
    summary: 'Release all managers of a user',
    response: { description: 'How many were released.', schema: releasedSchema },
    ...ofUser(mooring),
    action: () => 'release-all',
    act: ({ userId }) => ({ released: mooring.releaseAll(userId) }),
    resultText: releasedText,
  });
}

/** What the actions on a user share. */
function ofUser(mooring: Mooring) {
  return {
    params: idParams,
    target: ({ id }: { readonly id: string }) => ({ userId: knownUser(mooring, id) }),
  };
}

function suspectsOf(mooring: Mooring, userId: string): JournalView['suspects'] {
  return mooring.managersOf(userId).flatMap((manager) => {
    const suspect = mooring.suspicionOf(manager);
    return suspect === null ? [] : [{ threadId: manager.threadId, ...suspect }];
  });
}

function viewCleanup(result: CleanupResult | EmergencyCleanupResult): CleanupView {
  return { dryRun: false, attempts: 1, timedOut: false, ...result, chosen: [...result.chosen] };
}

/** The id of a user with managers, waiting connections or a journal. @throws ProblemError 400 or 404 */
function knownUser(mooring: Mooring, segment: string): string {
  const userId = readId(segment);
  const { journal } = mooring;
  const isKnown =
    mooring.managerCountOf(userId) > 0 || mooring.waitingCountOf(userId) > 0 || journal.of(userId).length > 0;
  if (isKnown) return userId;
  throw notFound(
    'This user holds no manager, and nothing is known of one they had.',
    'Ids are case-sensitive; mooring users --search, or GET /api/v1/users?search=, finds them by a part.',
  );
}
