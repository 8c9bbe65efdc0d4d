import { useEffect, useRef, useState } from 'preact/hooks';

interface Typing {
  /** As the address has it. */
  readonly said: string;
  /** Puts it there. */
  readonly say: (typed: string) => void;
  /** The pause after a key, in milliseconds. */
  readonly afterMs: number;
}

/**
 * What somebody types into a field, said once they pause.
 *
 * What the address has is taken over only where it is not what was said here: that arrives when they may have typed on.
 */
export function useTyped({ said, say, afterMs }: Typing): readonly [typed: string, type: (text: string) => void] {
  const [typed, type] = useState(said);
  const lastSaid = useRef(said);
  const latestSay = useRef(say);
  latestSay.current = say;
  useEffect(() => {
    if (said === lastSaid.current) return;
    lastSaid.current = said;
    type(said);
  }, [said]);
  useEffect(() => {
    if (typed === lastSaid.current) return undefined;
    const page = pageNow();
    const timer = setTimeout(() => {
      if (pageNow() !== page) return; // who has just gone elsewhere stays there
      lastSaid.current = typed;
      latestSay.current(typed);
    }, afterMs);
    return () => clearTimeout(timer);
  }, [typed, said]);
  return [typed, type];
}

function pageNow(): string {
  return location.hash.split('?')[0] ?? '';
}
