import type { RefObject } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { ManagerView } from '../../src/admin/schemas.js';
import { keySegment } from '../../src/presentation/paths.js';
import { actsWithinMs, ApiError, ask, pathOfUser } from './api.js';
import type { Outcome } from './outcome.js';

/** What is done, one at a time, and what came of the last of it. */
export interface Acting {
  readonly outcome: Outcome | null;
  /** Nothing else is done meanwhile: buttons are out of order. */
  readonly isRunning: boolean;
  /** Where the outcome is told. */
  readonly place: RefObject<HTMLDivElement | null>;
  readonly run: (name: string, act: () => Promise<Outcome>) => void;
}

export function useActing(onActed: () => void): Acting {
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const place = useRef<HTMLDivElement>(null);
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
  return { outcome, isRunning: outcome?.kind === 'running', place, run };
}

async function outcomeOf(name: string, act: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await act();
  } catch (error) {
    return { kind: 'failed', name, error: error instanceof ApiError ? error : new ApiError(0, String(error)) };
  }
}

/** Asks for something to be done about a user. @throws ApiError */
export function post<T>(userId: string, path: string, body?: object): Promise<T> {
  return ask<T>(`${pathOfUser(userId)}/${path}`, { method: 'POST', timeoutMs: actsWithinMs, body });
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

/** Releases all of a user. @throws ApiError */
export async function releaseAll(userId: string): Promise<Outcome> {
  const { released } = await remove(`${pathOfUser(userId)}/managers`);
  return { kind: 'released-all', released };
}

function remove(path: string): Promise<{ readonly released: number }> {
  return ask(path, { method: 'DELETE', timeoutMs: actsWithinMs });
}
