import { useEffect, useState } from 'preact/hooks';
import { ApiError, ask } from './api.js';

/** What is asked for again and again. */
export interface Polled<T> {
  /** The last answer; of what was asked before, until the first one arrives. */
  readonly data: T | null;
  /** Whether that is of what is asked for now. */
  readonly isCurrent: boolean;
  /** Why there is no newer one. */
  readonly problem: ApiError | null;
  /** Asks now. */
  readonly refresh: () => void;
}

interface Answer<T> {
  readonly path: string;
  readonly data: T;
}

/** What failed is asked again soon, however seldom it is asked otherwise. */
const againWithinMs = 5_000;

/** Asks now and then, while anybody can see the page, and as soon as somebody can again. */
export function usePoll<T>(path: string, everyMs: number): Polled<T> {
  const [answer, setAnswer] = useState<Answer<T> | null>(null);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const ending = new AbortController();
    let timer = 0;
    const look = async (): Promise<void> => {
      let nextMs = everyMs;
      try {
        if (!document.hidden) {
          setAnswer({ path, data: await ask<T>(path, { signal: ending.signal }) });
          setProblem(null);
        }
      } catch (error) {
        if (ending.signal.aborted) return;
        setProblem(error instanceof ApiError ? error : new ApiError(0, String(error)));
        nextMs = Math.min(everyMs, againWithinMs);
      }
      if (!ending.signal.aborted) timer = setTimeout(() => void look(), nextMs);
    };
    void look();
    return () => {
      ending.abort();
      clearTimeout(timer);
    };
  }, [path, everyMs, turn]);
  const refresh = (): void => {
    setTurn((last) => last + 1);
  };
  useEffect(() => {
    const look = (): void => {
      if (!document.hidden) refresh();
    };
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, []);
  return { data: answer?.data ?? null, isCurrent: answer?.path === path, problem, refresh };
}
