import { AuthenticationError } from '../core/errors.js';

/** Statuses with which an application says that a client may not come in. */
const rejecting: ReadonlySet<unknown> = new Set([401, 403]);

/**
 * Calls what may throw a framework's own errors: those with status 401 or 403 (`HttpException` of Nest, `HTTPException` of
 * Hono, errors of Fastify with `statusCode`) become an {@link AuthenticationError}. Others stay as they are.
 */
export async function translating<T>(act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw rejecting.has(statusOf(error)) ? new AuthenticationError() : error;
  }
}

function statusOf(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return undefined;
  const { statusCode, status } = error as { readonly statusCode?: unknown; readonly status?: unknown };
  return statusCode ?? status;
}
