import { useEffect, useState } from 'preact/hooks';
import { ApiError, request } from './api.js';

/** The answers to a request that is repeated. */
export interface Polled<T> {
  /** The last answer. After a change of the path it belongs to the former path, until the first answer arrives. */
  readonly data: T | null;
  /** Whether `data` belongs to the current path. */
  readonly isCurrent: boolean;
  /** Why the last request failed. */
  readonly problem: ApiError | null;
  /** Sends the request now. */
  readonly refresh: () => void;
}

interface Answer<T> {
  readonly path: string;
  readonly data: T;
}

/** A failed request is repeated after this time at the latest. */
const retryMs = 5_000;

/** Repeats a request while the page is visible, and at once when it becomes visible again. */
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
          setAnswer({ path, data: await request<T>(path, { signal: ending.signal }) });
          setProblem(null);
        }
      } catch (error) {
        if (ending.signal.aborted) return;
        setProblem(error instanceof ApiError ? error : new ApiError(0, String(error)));
        nextMs = Math.min(everyMs, retryMs);
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
