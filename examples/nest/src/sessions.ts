import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';

export interface Session {
  readonly id: string;
  readonly user: string;
}

/** Your application has a database, and passwords that cannot be read. */
const passwords: ReadonlyMap<string, string> = new Map([
  ['ada', 'ada'],
  ['bob', 'bob'],
]);

/** Who is logged in. Kept in memory: after a restart everybody logs in again. */
@Injectable()
export class Sessions {
  readonly #sessions = new Map<string, Session>();

  /** A session for this user; `null` if the password is not the right one. */
  start(user: string, password: string): Session | null {
    if (passwords.get(user) !== password) return null;
    const session = { id: randomUUID(), user };
    this.#sessions.set(session.id, session);
    return session;
  }

  end({ id }: Session): void {
    this.#sessions.delete(id);
  }

  /** The session of a request, be it for a page or for a WebSocket. */
  of({ headers }: IncomingMessage): Session | null {
    const id = /(?:^|; )auction_session=([^;]*)/.exec(headers.cookie ?? '')?.[1] ?? '';
    return this.#sessions.get(id) ?? null;
  }
}
