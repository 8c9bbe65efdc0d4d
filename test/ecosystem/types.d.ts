import type { IncomingMessage } from 'node:http';
import type { Mooring, MooringOptions, WebSocketManager } from '../../src/index.js';

/** What a stack gets to start with. */
export interface Given {
  readonly mooring: Mooring;
  /** Who a client is: the query says it, `?user=…&thread=…`. */
  readonly authenticate: (request: IncomingMessage) => Promise<{ userId: string; threadId: string } | null>;
  /** To listen on: 0, which is any. */
  readonly port: number;
  /** To be called with the manager of each connection, where the stack hands out the socket. */
  readonly seen: (manager: WebSocketManager) => void;
}

/** A stack that runs. */
export interface Running {
  readonly port: number;
  /** Stops as the recipe says: `mooring.stop()` where it belongs, and the stack's own end. */
  readonly close: () => unknown;
}

/** What a client sees of its end; a name of a kind of client that has no close codes says it in `text`. */
export interface Ending {
  readonly code?: number;
  readonly reason?: string;
  readonly text?: string;
}

/** What the client must see of an end. */
export type Expectation = { readonly code: number; readonly reason: RegExp } | { readonly text: RegExp };

export type FactName = 'managed' | 'limit' | 'takeover' | 'refusal' | 'frozen' | 'close' | 'clean';

/** Facts that are not looked at → why. */
export type Skips = Readonly<Partial<Record<FactName, string>>>;

/** A stack, as test/ecosystem/stacks/ describes it. */
export interface Stack {
  /** As in the table, without versions. */
  readonly title: string;
  /** Packages whose versions the table shows, by their names in test/ecosystem/package.json. */
  readonly packages: readonly string[];
  /** The oldest major version of Node.js that it runs on. @default 20 */
  readonly needsNode?: number;
  /** A file of test/ecosystem/clients/, without `.mjs`. */
  readonly client: string;
  /** The path that clients connect to. @default '/' */
  readonly path?: string;
  /** The transports of its clients. @default ['websocket'] */
  readonly ways?: readonly string[];
  /** Settings that the recipe wants. */
  readonly settings?: Partial<MooringOptions>;
  /** What its client sees of a refusal. @default 1013 and `quota;retry=…` */
  readonly refused?: Expectation;
  /** What its client sees if a newer connection takes over. @default 4409 `replaced` */
  readonly replaced?: Expectation;
  /** What its client sees if the stack is closed. @default 1012 and `drain;retry=…` */
  readonly drained?: Expectation;
  /** Facts that are not looked at, and why. */
  readonly skips?: Skips;
  /** `attach` must throw a TypeError that matches this; nothing else is looked at. */
  readonly attachThrows?: RegExp;
  readonly start: (given: Given) => Promise<Running> | Running;
}

/** What a client is to do. */
export interface ClientTask {
  readonly port: number;
  readonly path: string;
  readonly way: string;
  readonly user: string;
  readonly thread: string;
  /** To be called when the application answered. */
  readonly isIn: () => void;
  /** To be called at the first end. The client must not come back after it. */
  readonly ended: (ending: Ending) => void;
}

/** What a process of clients says of one of them. */
export interface ClientReport {
  readonly id: number;
  readonly what: 'in' | 'end';
  readonly ending: Ending | null;
}

/** A file of test/ecosystem/clients/. */
export interface ClientModule {
  /** @returns closes it */
  readonly connect: (task: ClientTask) => (() => unknown) | Promise<() => unknown>;
}

/** What the process of a stack says of it. */
export interface Description {
  readonly title: string;
  readonly versions: readonly string[];
  readonly skips: Skips;
}

/** A line of the process of a stack. Neither a stack nor a fact: that is all. */
export interface Report {
  readonly stack?: Description & { /** How many its file has. */ readonly total: number };
  readonly fact?: FactName;
  readonly fault?: string | null;
}

/** How it went with a stack. */
export interface Run extends Description {
  readonly name: string;
  readonly index: number;
  /** Null: it is a fact. */
  readonly faults: ReadonlyMap<FactName, string | null>;
  readonly tookMs: number;
}
