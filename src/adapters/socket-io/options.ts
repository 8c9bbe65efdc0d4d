import type { IncomingMessage } from 'node:http';
import type { Socket } from 'socket.io';
import { describe } from '../../core/errors.js';
import type { Authenticate, DoorwayOptions } from '../doorway.js';
import type { IsKeepaliveEvent } from './events.js';
import type { RefuseBy } from './refuser.js';

/** A `Server` of Socket.IO, whatever its events are. */
export interface SocketIoServer<AppSocket> {
  readonly sockets: { readonly sockets: ReadonlyMap<string, AppSocket> };
}

/** A `Socket` of Socket.IO, whatever its events are. */
export interface SocketIoSocket {
  readonly conn: object;
}

/** What {@link attach} needs, wherever clients are admitted. */
export interface CommonAttachOptions extends Omit<DoorwayOptions<IncomingMessage>, 'authenticate'> {
  /**
   * Which namespaces are Mooring's. The others are joined as without Mooring, and count for nothing: leave out `/admin` of
   * `@socket.io/admin-ui`. @default all
   */
  readonly namespaces?: (name: string) => boolean;
  /**
   * How a client is told to come back later that does not use `reconnectWhenTold` of `mooring/client`. `'hold'`: it gets no
   * answer until the time has passed (at most 40 s), then its session is closed, and it comes back by itself.
   * `'connect_error'`: at once, for applications whose clients handle that. Without a handler they never come back.
   * @default 'hold'
   */
  readonly refuse?: RefuseBy;
  /**
   * The name of the event that a client gets before Mooring closes its session, with `{ cause, code, retryAfterMs, max }`;
   * `false`: none. Socket.IO itself tells clients no reason. @default 'mooring'
   */
  readonly announce?: string | false;
  /**
   * Which events are keepalives, in addition to those named like `ping` or `heartbeat` without content. Answers of
   * `emitWithAck` without content never are activity.
   */
  readonly isKeepalive?: IsKeepaliveEvent;
  /**
   * Whether events to many sockets at once (`io.emit`, rooms) are activity of each of them. Presence that goes to a room
   * would keep every forgotten tab. @default false
   */
  readonly countBroadcasts?: boolean;
}

/** What {@link attach} needs. `keyOf`, `attemptRate` and `allowedOrigins` see the request that begins a session. */
export type AttachOptions<AppSocket = Socket> = CommonAttachOptions &
  (
    | {
        /** Clients are authenticated and admitted when they join their first namespace, after its middlewares. */
        readonly at?: 'connect';
        /** The user and the thread of a socket whose namespace has let it in. */
        readonly authenticate: Authenticate<AppSocket>;
      }
    | {
        /** Before a session is made: cheaper, but blind to `auth`, and closed to WebTransport. */
        readonly at: 'request';
        readonly authenticate: Authenticate<IncomingMessage>;
      }
  );

/** Events that Socket.IO does not let an application emit. */
const reserved: readonly unknown[] = [
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
];

const isFunction = (value: unknown): boolean => typeof value === 'function';

/** What each option may be if it is given, in code and in words. */
const rules: readonly (readonly [name: string, isAllowed: (value: unknown) => boolean, wanted: string])[] = [
  ['at', (at) => at === 'connect' || at === 'request', 'connect or request'],
  ['refuse', (way) => way === 'hold' || way === 'connect_error', 'hold or connect_error'],
  ['authenticate', isFunction, 'a function that returns the user of a socket'],
  ['namespaces', isFunction, 'a function of a name that gives true or false'],
  ['announce', isAnnouncement, 'the name of an event of your own, or false'],
  ['isKeepalive', isFunction, 'a function of a message that gives true or false'],
];

/** @throws TypeError */
export function checkOptions(options: AttachOptions): void {
  if (typeof (options as unknown) !== 'object' || (options as unknown) === null)
    throw new TypeError(`attach: got ${describe(options)}, wanted { mooring, authenticate }`);
  for (const [name, isAllowed, wanted] of rules) {
    const given: unknown = Reflect.get(options, name);
    const isLeftOut = given === undefined && name !== 'authenticate';
    if (!isLeftOut && !isAllowed(given)) throw new TypeError(`${name}: got ${describe(given)}, wanted ${wanted}`);
  }
}

function isAnnouncement(announce: unknown): boolean {
  return announce === false || (typeof announce === 'string' && announce !== '' && !reserved.includes(announce));
}
