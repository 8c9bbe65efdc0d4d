import type { EventRowsByName } from './event-table.js';
import type { QuotaLedger } from './quota/quota-ledger.js';
import type { IsKeepalive } from './liveness/keepalives.js';
import type { LimitOf } from './managers/limits.js';
import type { TellRenamed } from './seed-names.js';
import type { WebSocketConfig } from './settings.js';
import type { Random, Time } from './time.js';

/** What a Mooring is made of. */
export interface MooringParts {
  readonly config: WebSocketConfig;
  readonly time: Time;
  readonly random: Random;
  /** Another limit for some users. Without it every user has `maxManagersPerUser`. */
  readonly limitOf?: LimitOf | undefined;
  /** What the application takes for keepalives beside the presets. */
  readonly isKeepalive?: IsKeepalive | undefined;
  /** The events that edges emit on its stream: a journal keeps those that say so. @default none */
  readonly edgeEvents?: EventRowsByName | undefined;
  /** Told when a name of the original sketch is used, each time. @default nothing is told */
  readonly tellRenamed?: TellRenamed | undefined;
  /** A quota shared with others. Without it the local limit decides alone. */
  readonly ledger?: QuotaLedger | undefined;
}
