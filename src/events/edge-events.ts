import { fields, type EventRow, type EventRowsByName } from '../core/event-row.js';
import { coreEvents, type MooringEventName } from '../core/event-table.js';

/** What can be done by hand, over the admin API. */
export const adminActions = [
  'check',
  'cleanup',
  'cleanup (dry run)',
  'emergency-cleanup',
  'emergency-cleanup (dry run)',
  'background-cleanup',
  'background-cleanup (dry run)',
  'release',
  'release-all',
] as const;

/** @see adminActions */
export type AdminAction = (typeof adminActions)[number];

/** The names of all events, those of the core included. */
export type { MooringEventName } from '../core/event-table.js';

/** The events that adapters and the admin API emit on the stream of a Mooring. */
export const edgeEvents = Object.freeze({
  'authentication.failed': {
    fields: fields<{ readonly error: string }>(),
    severity: 'error',
    about:
      '`authenticate`, or a function called before it (`allowedOrigins`, `keyOf`), threw, rejected or gave no answer.',
  },
  'attempts.uncounted': {
    fields: fields<{ readonly reason: string }>(),
    severity: 'warn',
    about: '`attemptRate` cannot count attempts to connect, since their address is unknown. Once.',
  },
  'socket.rejected': {
    fields: fields<{ readonly status: number; readonly reason: string }>(),
    severity: 'warn',
    about: 'A socket was refused before authentication, with an HTTP status.',
  },
  'socket.unmanaged': {
    fields: fields<{ readonly reason: string }>(),
    severity: 'error',
    about:
      'An attached server accepted a socket without a manager: it was closed, so that no limit is evaded. With 1011, or with 4401 if `admitBefore` was not called.',
  },
  'admin.acted': {
    fields: fields<{
      /** The name of the token; `loopback` if the server asks for none. */
      readonly who: string;
      readonly action: AdminAction;
      readonly userId: string | null;
      readonly key: string | null;
      readonly outcome: 'done' | 'failed';
      /** The result, in a few words. */
      readonly result: string;
    }>(),
    severity: 'info',
    isSampled: false,
    isJournalled: true,
    about: 'An operator did something over the admin API.',
  },
  'admin.refused': {
    fields: fields<{
      readonly status: number;
      /** At most 200 characters. */
      readonly reason: string;
      /** The name of the token or of the person, if it is known. */
      readonly who: string | null;
      /** Method and path, at most 200 characters. */
      readonly request: string;
      /** The address of the caller as this process sees it: behind a proxy, the address of the proxy. */
      readonly address: string | null;
      /** How many other refusals with this status it stands for: beyond 30 a minute, one event tells of all of them. */
      readonly more: number;
    }>(),
    severity: 'warn',
    about:
      'The admin API refused a request: no token or a wrong one, a token or a person that may not, a foreign origin, or too many requests.',
  },
  'admin.failed': {
    fields: fields<{ readonly route: string; readonly error: string }>(),
    severity: 'error',
    about: 'A request failed because of an error in the admin API.',
  },
  'viewer.missed': {
    fields: fields<{ readonly events: number }>(),
    severity: 'debug',
    about: "A viewer of the admin API's event stream reads too slowly and lost that many events.",
  },
  'viewer.dropped': {
    fields: fields<{ readonly watchedMs: number }>(),
    severity: 'warn',
    about: 'A viewer of the event stream read nothing for a minute and was disconnected.',
  },
} as const satisfies EventRowsByName);

type EdgeEvents = typeof edgeEvents;

declare module '../core/event-table.js' {
  interface EventRows extends EdgeEvents {}
}

/** All events, the core's and the edges'. */
export const eventTable: Readonly<Record<MooringEventName, EventRow>> = Object.freeze({ ...coreEvents, ...edgeEvents });

export const eventNames = Object.freeze(Object.keys(eventTable)) as readonly MooringEventName[];
