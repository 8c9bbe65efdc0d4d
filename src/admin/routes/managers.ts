import { parseIsolationKey } from '../../core/identity/isolation-key.js';
import { MalformedContextError } from '../../core/errors.js';
import type { WebSocketManager } from '../../core/managers/manager.js';
import type { Mooring } from '../../core/mooring.js';
import type { AdminApp, AdminParts } from '../parts.js';
import { badField, notFound } from '../problems.js';
import { managerSchema, releasedSchema } from '../schemas.js';
import { viewManager } from '../views.js';
import { act, tellReleased } from './acting.js';
import { apiRoute, keyParams } from './route.js';

/** One manager: what it does, and its end. */
export function addManagerRoutes(app: AdminApp, parts: AdminParts): void {
  const { mooring } = parts;
  app.openapi(
    apiRoute(
      { method: 'get', path: '/api/v1/managers/{key}', request: { params: keyParams }, summary: 'A manager' },
      { description: 'As of now.', schema: managerSchema },
    ),
    (c) => c.json(viewManager(managerOf(mooring, c.req.valid('param').key), mooring), 200),
  );
  app.openapi(
    apiRoute(
      {
        method: 'delete',
        path: '/api/v1/managers/{key}',
        request: { params: keyParams },
        summary: 'Release a manager',
      },
      { description: 'Whether it was there still.', schema: releasedSchema },
    ),
    async (c) => {
      const { key, userId } = managerOf(mooring, c.req.valid('param').key);
      const released = await act(parts, c, {
        ...{ action: 'release', userId, key },
        run: () => Number(mooring.release(key)),
        tell: tellReleased,
      });
      return c.json({ released }, 200);
    },
  );
}

/** @throws ProblemError 400 where it is no key, 404 where nobody has it */
function managerOf(mooring: Mooring, key: string): WebSocketManager {
  const manager = mooring.getManager(checkedKey(key));
  if (manager !== undefined) return manager;
  throw notFound(
    'No manager has this key now.',
    'GET /api/v1/users/{id} lists the managers of a user with their keys, …/journal tells what became of those that were.',
  );
}

function checkedKey(key: string): string {
  try {
    parseIsolationKey(key);
    return key;
  } catch (error) {
    if (error instanceof MalformedContextError)
      throw badField(
        'key',
        `${error.message}; wanted {userId}:{threadId}, with % and : of the user id percent-encoded`,
      );
    throw error;
  }
}
