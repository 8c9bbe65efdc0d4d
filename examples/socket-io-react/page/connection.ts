import { useCallback, useEffect, useRef, useState } from 'react';
import { reconnectWhenTold, type CloseExplanation } from 'mooring/client';
import { io, type Socket } from 'socket.io-client';

export interface AnswerCount {
  readonly answer: string;
  readonly count: number;
}

/** What the server sends and gets. */
type VoteSocket = Socket<{ votes(counts: readonly AnswerCount[]): void }, { vote(answer: string): void }>;

// A reload keeps it. A tab that is duplicated has the same, and takes the connection over.
const tab = sessionStorage.getItem('tab') ?? crypto.randomUUID();
sessionStorage.setItem('tab', tab);

/** The connection of the page: what has arrived, and if there is none, why. */
export interface Connection {
  readonly isOpen: boolean;
  /** Why the server closed or refused the last one; `null` if the server did not say. */
  readonly told: CloseExplanation | null;
  readonly counts: readonly AnswerCount[];
  readonly vote: (answer: string) => void;
  /** Connects now, because the person wants it. */
  readonly connect: () => void;
}

/** Connects while the component is mounted, and anew for another token. */
export function useConnection(token: string): Connection {
  const [isOpen, setOpen] = useState(false);
  const [told, setTold] = useState<CloseExplanation | null>(null);
  const [counts, setCounts] = useState<readonly AnswerCount[]>([]);
  const socket = useRef<VoteSocket>(null);

  useEffect(() => {
    const opened: VoteSocket = io({ auth: { token, tab }, forceNew: true });
    socket.current = opened;
    const stopListening = reconnectWhenTold(opened, { onTold: setTold });
    opened.on('connect', () => {
      setOpen(true);
      setTold(null);
    });
    opened.on('disconnect', () => setOpen(false));
    opened.on('votes', setCounts);
    return () => {
      stopListening();
      opened.disconnect();
    };
  }, [token]);

  const vote = useCallback((answer: string) => socket.current?.emit('vote', answer), []);
  const connect = useCallback(() => {
    setTold(null);
    socket.current?.connect();
  }, []);
  return { isOpen, told, counts, vote, connect };
}
