import { useEffect, useRef, useState } from 'preact/hooks';

interface Typing {
  /** The value in the address. */
  readonly value: string;
  /** Puts what was typed into the address. */
  readonly onChange: (typed: string) => void;
  /** The pause after the last key, in milliseconds. */
  readonly afterMs: number;
}

/**
 * The text of a field whose value is in the address. It is put there after a pause in the typing.
 *
 * A change of the address replaces the text, unless it is our own: that one arrives when more may have been typed.
 */
export function useTyped({ value, onChange, afterMs }: Typing): readonly [typed: string, type: (text: string) => void] {
  const [typed, type] = useState(value);
  const lastSent = useRef(value);
  const latestOnChange = useRef(onChange);
  latestOnChange.current = onChange;
  useEffect(() => {
    if (value === lastSent.current) return;
    lastSent.current = value;
    type(value);
  }, [value]);
  useEffect(() => {
    if (typed === lastSent.current) return undefined;
    const page = pageNow();
    const timer = setTimeout(() => {
      if (pageNow() !== page) return; // the user went to another page meanwhile
      lastSent.current = typed;
      latestOnChange.current(typed);
    }, afterMs);
    return () => clearTimeout(timer);
  }, [typed, value]);
  return [typed, type];
}

function pageNow(): string {
  return location.hash.split('?')[0] ?? '';
}
