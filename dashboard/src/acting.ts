import type { RefObject } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { ManagerView } from '../../src/admin/schemas.js';
import { keySegment } from '../../src/presentation/paths.js';
import { actTimeoutMs, ApiError, pathOfUser, request } from './api.js';
import type { Outcome } from './outcome.js';

/** Runs one action at a time, and keeps the outcome of the last one. */
export interface Acting {
  readonly outcome: Outcome | null;
  /** The buttons are disabled meanwhile. */
  readonly isRunning: boolean;
  /** The element that shows the outcome. */
  readonly outcomeRef: RefObject<HTMLDivElement | null>;
  readonly run: (name: string, act: () => Promise<Outcome>) => void;
}

export function useActing(onActed: () => void): Acting {
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const outcomeRef = useRef<HTMLDivElement>(null);
  const isRunning = useRef(false);
  const finish = async (name: string, act: () => Promise<Outcome>): Promise<void> => {
    isRunning.current = true;
    setOutcome({ kind: 'running', name });
    setOutcome(await outcomeOf(name, act));
    isRunning.current = false;
    onActed();
  };
  const run = (name: string, act: () => Promise<Outcome>): void => {
    if (!isRunning.current) void finish(name, act);
  };
  return { outcome, isRunning: outcome?.kind === 'running', outcomeRef, run };
}

async function outcomeOf(name: string, act: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await act();
  } catch (error) {
    return { kind: 'failed', name, error: error instanceof ApiError ? error : new ApiError(0, String(error)) };
  }
}

/** Posts an action on a user. @throws ApiError */
export function post<T>(userId: string, path: string, body?: object): Promise<T> {
  return request<T>(`${pathOfUser(userId)}/${path}`, { method: 'POST', timeoutMs: actTimeoutMs, body });
}

/** Releases one manager, unless it is gone already. @throws ApiError */
export async function release({ key, threadId }: ManagerView): Promise<Outcome> {
  try {
    const { released } = await remove(`api/v1/managers/${keySegment(key)}`);
    return { kind: 'released', threadId, released };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return { kind: 'released', threadId, released: 0 };
    throw error;
  }
}

/** Releases all managers of a user. @throws ApiError */
export async function releaseAll(userId: string): Promise<Outcome> {
  const { released } = await remove(`${pathOfUser(userId)}/managers`);
  return { kind: 'released-all', released };
}

function remove(path: string): Promise<{ readonly released: number }> {
  return request(path, { method: 'DELETE', timeoutMs: actTimeoutMs });
}
