import { useEffect, useState } from 'react';
import type { CloseCauseName, CloseExplanation } from 'mooring/client';
import type { Connection } from './connection.js';

/** In the words of this application; for other causes, the sentence of `mooring/client`. */
const words: Partial<Record<CloseCauseName, (of: CloseExplanation) => string>> = {
  quota: ({ max }) => `You may have ${max ?? 'no more'} pages open. Close one of them.`,
  replaced: () => 'You vote in another tab.',
  evicted: () => 'You opened another page, and this one was unused for the longest time.',
  unauthenticated: () => 'You are logged out.',
};

/** Why there is no connection, when the next attempt comes, and what the person can do. Nothing if there is one. */
export function Status({ isOpen, told, connect, logIn }: Connection & { readonly logIn: () => void }) {
  const seconds = useCountdown(told);
  if (isOpen) return null;
  if (told === null)
    return (
      <p id="status" role="status">
        Connecting …
      </p>
    );
  return (
    <p id="status" role="status" className={told.retry ? 'waits' : 'bad'}>
      {words[told.cause]?.(told) ?? told.message}{' '}
      {told.retry && <span aria-live="off">Connecting again in {seconds} s. </span>}
      {told.action === 'sign-in' && <button onClick={logIn}>Log in</button>}
      {told.action === 'continue' && <button onClick={connect}>Use it here</button>}
      {told.action === 'close-another' && <button onClick={connect}>Try now</button>}
    </p>
  );
}

/** How many seconds are left, counted down. */
function useCountdown(told: CloseExplanation | null): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    if (!told?.retry) return;
    const endsAtMs = Date.now() + told.delayMs;
    const update = () => setSeconds(Math.max(0, Math.ceil((endsAtMs - Date.now()) / 1000)));
    update();
    const timer = setInterval(update, 1000);
    return () => clearInterval(timer);
  }, [told]);
  return seconds;
}
