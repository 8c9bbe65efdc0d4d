import { parseIsolationKey } from '../../core/identity/isolation-key.js';
import type { WebSocketManager } from '../../core/managers/manager.js';
import type { Mooring } from '../../core/mooring.js';
import type { AdminApp, AdminParts } from '../parts.js';
import { notFound } from '../problems.js';
import { managerSchema, releasedSchema } from '../schemas.js';
import { viewManager } from '../views.js';
import { addActionRoute, releasedText } from './acting.js';
import { addRoute, checkField, keyParams } from './route.js';

/** Routes about one manager. */
export function addManagerRoutes(app: AdminApp, parts: AdminParts): void {
  const { mooring } = parts;
  addRoute(app, {
    route: 'GET /managers/{key}',
    summary: 'A manager',
    params: keyParams,
    response: { description: 'As of now.', schema: managerSchema },
    handle: ({ params }) => viewManager(managerOf(mooring, params.key), mooring),
  });
  // Its event `admin.acted` is kept in the journal of the manager's user.
  addActionRoute(app, parts, {
    route: 'DELETE /managers/{key}',
    summary: 'Release a manager',
    params: keyParams,
    response: { description: '1 if it was released, 0 if it was gone already.', schema: releasedSchema },
    action: () => 'release',
    target: ({ key }) => managerOf(mooring, key),
    act: ({ key }) => ({ released: Number(mooring.release(key)) }),
    resultText: releasedText,
  });
}

/** @throws ProblemError 400 if it is no key, 404 if no manager has it */
function managerOf(mooring: Mooring, key: string): WebSocketManager {
  checkField('key', {
    check: () => parseIsolationKey(key, mooring.config),
    problemOf: ({ message }) => `${message}; wanted {userId}:{threadId}, with % and : of the user id percent-encoded`,
  });
  const manager = mooring.getManager(key);
  if (manager !== undefined) return manager;
  throw notFound(
    'No manager has this key now.',
    'GET /api/v1/users/{id} lists the managers of a user with their keys, …/journal tells what became of those that were.',
  );
}
