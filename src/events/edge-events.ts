import { coreEvents, fields, type EventRow, type EventRowsByName, type MooringEventName } from '../core/event-table.js';

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

/** The events that adapters and the admin API emit on the stream of a Mooring. */
export const edgeEvents = Object.freeze({
  'authentication.failed': {
    fields: fields<{ readonly error: string }>(),
    severity: 'error',
    about:
      '`authenticate`, or what comes before it (`allowedOrigins`, `attemptRate`), threw, rejected or gave no answer.',
  },
  'attempts.uncounted': {
    fields: fields<{ readonly reason: string }>(),
    severity: 'warn',
    about: 'Attempts to connect are not counted by `attemptRate`, for want of an address. Told once.',
  },
  'socket.rejected': {
    fields: fields<{ readonly status: number; readonly reason: string }>(),
    severity: 'warn',
    about: 'A socket was turned away before authentication, with an HTTP status.',
  },
  'socket.unmanaged': {
    fields: fields<{ readonly reason: string }>(),
    severity: 'error',
    about:
      'A socket came out of an attached server without a manager: it was closed with 1011, so that no limit is evaded.',
  },
  'admin.acted': {
    fields: fields<{
      /** The name of the token; `loopback` where none is asked for. */
      readonly who: string;
      /** What was asked for. */
      readonly action: AdminAction;
      readonly userId: string | null;
      readonly key: string | null;
      readonly outcome: 'done' | 'failed';
      /** What came of it, in a few words. */
      readonly result: string;
    }>(),
    severity: 'info',
    isSampled: false,
    isJournalled: true,
    about: 'Somebody acted on this server by hand, over the admin API.',
  },
  'admin.refused': {
    fields: fields<{
      readonly status: number;
      /** At most 200 characters. */
      readonly reason: string;
      /** The name of the token, where it is known. */
      readonly who: string | null;
      /** Method and path, at most 200 characters. */
      readonly request: string;
      /** Where it came from, as far as this process knows: behind a proxy, that. */
      readonly address: string | null;
      /** How many others with this status it stands for: beyond 30 a minute they are told in sum, with the last of them. */
      readonly more: number;
    }>(),
    severity: 'warn',
    about:
      'Somebody was turned away by the admin API: no token or a wrong one, too little scope, a foreign origin, too often.',
  },
  'admin.failed': {
    fields: fields<{ readonly route: string; readonly error: string }>(),
    severity: 'error',
    about: 'The admin API failed by itself.',
  },
  'viewer.missed': {
    fields: fields<{ readonly events: number }>(),
    severity: 'debug',
    about: 'Somebody who watches the event stream over the admin API reads too slowly, and lost so many events of it.',
  },
  'viewer.dropped': {
    fields: fields<{ readonly watchedMs: number }>(),
    severity: 'warn',
    about: 'Somebody who watched took nothing for a minute and was dropped.',
  },
} as const satisfies EventRowsByName);

type EdgeEvents = typeof edgeEvents;

declare module '../core/event-table.js' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- this is how a declaration is extended
  interface EventRows extends EdgeEvents {}
}

/** All events, the core's and the edges'. */
export const eventTable: Readonly<Record<MooringEventName, EventRow>> = Object.freeze({ ...coreEvents, ...edgeEvents });

/** All names. */
export const eventNames = Object.freeze(Object.keys(eventTable)) as readonly MooringEventName[];
