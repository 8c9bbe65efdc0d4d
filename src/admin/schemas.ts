import { z } from 'zod';
import {
  alertLevels,
  findings,
  releaseReasons,
  ledgerStates,
  strategyNames,
  type ReleaseReason,
  type StrategyName,
} from '../core/vocabulary.js';
import { kpiTargets, type KpiName } from '../core/kpis/kpi.js';

/** The answers of the API. Each schema is in the OpenAPI document, and is also the type of the answer. */

const count = z.int().min(0);
const ms = z.number().describe('Milliseconds.');
const named = <T extends z.ZodRawShape>(name: string, shape: T) => z.object(shape).meta({ id: name });
const reasons = Object.keys(releaseReasons) as [ReleaseReason, ...ReleaseReason[]];
const kpiNames = Object.keys(kpiTargets) as [KpiName, ...KpiName[]];

export const levelSchema = z.enum(alertLevels).meta({ id: 'AlertLevel', description: 'How full a quota is.' });

const counts = Object.fromEntries(strategyNames.map((name) => [name, count])) as Record<StrategyName, typeof count>;
const tally = z.object(counts).meta({ id: 'Tally', description: 'How many managers each strategy chose.' });

export const problemSchema = named('Problem', {
  type: z.string().describe('Names the kind of problem and never changes, e.g. `urn:mooring:problem:not-found`.'),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe('What was wrong.'),
  hint: z.string().optional().describe('What to try.'),
  errors: z
    .array(z.object({ field: z.string(), problem: z.string() }))
    .optional()
    .describe('Which fields are wrong, and how.'),
});

export const resourcesSchema = named('UserResources', {
  userId: z.string(),
  managerCount: count.describe('Live and reserved, of this process.'),
  total: count
    .optional()
    .describe('Slots in all processes, if a shared quota knows of more. Ratio and level are by it.'),
  usageRatio: z.number(),
  alertLevel: levelSchema,
  maxManagers: count.nullable().describe('`null` if there is no limit.'),
});

export const userSummarySchema = resourcesSchema
  .extend({
    held: count.describe('Managers the application holds.'),
    suspects: count.describe('Managers whose connection is a suspect now.'),
    waiting: count.describe('Newcomers that wait for a slot.'),
    idleMs: ms.describe('Since the last activity of any manager, in milliseconds.'),
    longestIdleMs: ms.describe('Since the last activity of the manager that is idle for longest, in milliseconds.'),
  })
  .meta({ id: 'UserSummary' });

const suspectFields = {
  unansweredMs: ms.describe('Since the first ping that nothing has answered, in milliseconds.'),
  endsInMs: ms
    .nullable()
    .describe(
      'In how many milliseconds the heartbeat closes it at the latest, unless a byte arrives or a newcomer gets its place; `null` while unsent data waits for it.',
    ),
};

const suspectSchema = z.object(suspectFields).meta({
  id: 'Suspect',
  description:
    'A connection that was silent to a probe and has sent no byte since. It gives its place to a newcomer that waits, one for one; otherwise the heartbeat ends it.',
});

export const managerSchema = named('Manager', {
  key: z.string().describe('The isolation key.'),
  userId: z.string(),
  threadId: z.string(),
  state: z
    .enum(['reserved', 'attached', 'away', 'released'])
    .describe('`away`: its connection ended while it is held, and it waits for the next connection of its thread.'),
  liveness: z
    .enum(['reserved', 'away', 'heard', 'quiet', 'unanswered', 'suspect', 'not open'])
    .describe(
      '`heard`: a byte came within the last heartbeat interval, though the client may be gone since; `quiet`: none did; `unanswered`: a heartbeat was missed; `suspect`: see the field `suspect`.',
    ),
  suspect: suspectSchema.nullable().describe('`null` unless it is a suspect.'),
  generation: count.describe('1 for the first connection, one more for each that took over.'),
  admittedAt: z.iso.datetime(),
  ageMs: ms,
  connectedMs: ms.nullable(),
  idleMs: ms.describe('Since the last activity either way, in milliseconds.'),
  inboundIdleMs: ms,
  outboundIdleMs: ms.nullable(),
  silentMs: ms.nullable().describe('Since the last byte from the peer, in milliseconds.'),
  roundTripMs: ms.nullable(),
  misses: count.describe('Heartbeats in a row without an answer.'),
  isHeld: z.boolean(),
  isEngaged: z.boolean().describe('In use: nothing closes it to make room.'),
  hasSuccessor: z.boolean().describe('A newer connection of the thread is about to take over.'),
  error: z.string().nullable(),
});

export const userSchema = resourcesSchema
  .extend({
    waiting: count,
    managers: z.array(managerSchema),
    journalEntries: count.describe('How many entries `…/journal` has.'),
  })
  .meta({ id: 'User' });

export const userPageSchema = named('UserPage', {
  users: z.array(userSummarySchema),
  total: count.describe('Users that match, on all pages.'),
  nextCursor: z.string().nullable(),
  asOf: z.iso
    .datetime()
    .describe('When the users were counted, at most a second ago; `held`, `waiting` and idle times are as of now.'),
});

export const journalSchema = named('Journal', {
  userId: z.string(),
  isKept: z.boolean().describe('Whether `journalBytes` leaves room for a journal at all.'),
  entries: z.array(z.looseObject({ type: z.string(), at: z.iso.datetime() })).describe('Events, oldest first.'),
  suspects: z
    .array(z.object({ threadId: z.string(), ...suspectFields }))
    .describe('Connections of the user that are suspects now.'),
});

export const kpisSchema = named('Kpis', {
  kpis: z.array(
    z.object({
      name: z.enum(kpiNames),
      number: z.int(),
      value: z.number().nullable(),
      unit: z.string(),
      target: z.string(),
      verdict: z.enum(['pass', 'fail', 'no data']),
      samples: count,
      detail: z.record(z.string(), z.number()),
    }),
  ),
  window: z.object({ durationMs: ms, lengthMs: ms, isSinceStart: z.boolean() }),
});

export const configSchema = named('Config', {
  environment: z.string().nullable().describe('`null` if the server was not started from a configuration.'),
  settings: z.record(z.string(), z.object({ value: z.unknown(), source: z.string().nullable(), written: z.string() })),
});

export const sampleSchema = named('Sample', {
  at: z.iso.datetime(),
  managers: count,
  waiting: count,
  admitted: count.describe('Since the sample before, as all of the following.'),
  takenOver: count,
  refused: count,
  released: count,
  cleaned: count,
  longestEmergencyMs: ms.nullable().describe('The longest emergency cleanup or wait for a slot.'),
});

export const overviewSchema = named('Overview', {
  version: z.string(),
  now: z.iso.datetime(),
  startedAt: z.iso.datetime(),
  /** Since `startedAt`, on a monotonic clock. */
  uptimeMs: z.number(),
  isDraining: z.boolean(),
  managers: count,
  connections: count.describe('Managers whose connection is attached.'),
  users: count,
  waiting: count,
  suspects: count.describe('Connections that are suspects now.'),
  unsentBytes: z
    .object({ sum: count, largest: count.describe('Of the connection with the most.') })
    .describe('Bytes that waited to be sent, as of the last heartbeat of each connection.'),
  usersByLevel: z.object({ normal: count, info: count, warning: count, critical: count, emergency: count }),
  limits: z.object({ perUser: count, total: count.nullable() }),
  ledger: z
    .object({
      state: z.enum(ledgerStates),
      reason: z.string().nullable().describe('Why it is not up, and what to do.'),
      forMs: ms.describe('How long it is in this state, in milliseconds.'),
    })
    .nullable()
    .describe('The shared quota; `null` if each process counts for itself.'),
  totals: z
    .object({
      admitted: count,
      takenOver: count,
      refused: z.record(z.string(), count).describe('By close cause.'),
      released: z.record(z.enum(reasons), count).describe('By reason.'),
      cleaned: tally,
    })
    .describe('Since the start.'),
  samples: z.array(sampleSchema).describe('The last quarter of an hour, one every five seconds, oldest first.'),
  journal: z.object({ isKept: z.boolean(), bytes: count, maxBytes: count, users: count }),
  viewers: z.object({ watching: count, droppedEvents: count, droppedViewers: count }),
  memory: z.object({ residentBytes: count, heapUsedBytes: count }),
});

const chosenSchema = z
  .object({
    userId: z.string(),
    threadId: z.string(),
    key: z.string(),
    strategy: z.enum(strategyNames),
    reason: z.enum(reasons),
    idleMs: ms,
    silentMs: ms,
    limitMs: ms.nullable().describe('The limit for `idleMs`, or for the age of an error, in milliseconds.'),
    finding: z
      .enum(findings)
      .nullable()
      .describe(
        '`closed`: it was not open; `silent`: a suspect, which left pings unanswered; `stuck`: its unsent data did not move; `overfull`: more than `maxUnsentBytes` waited. `null` if it was chosen for another reason.',
      ),
  })
  .meta({ id: 'Chosen', description: 'A manager that was released, or would be, and the figures that decided it.' });

export const cleanupSchema = named('Cleanup', {
  userId: z.string(),
  dryRun: z.boolean(),
  cleaned: count.describe('Managers released; none by a dry run.'),
  chosen: z.array(chosenSchema).describe('The first 1,000; `byStrategy` counts all.'),
  byStrategy: tally,
  attempts: count,
  timedOut: z.boolean(),
  durationMs: ms,
  remaining: count.describe('Managers that the user has left, or would have left after a dry run.'),
});

export const backgroundSchema = named('BackgroundCleanup', {
  dryRun: z.boolean(),
  cleaned: count.describe('Managers released; none by a dry run.'),
  users: count.describe('Users that had a manager released.'),
  byStrategy: tally,
  errors: count.describe('Users whose cleanup threw.'),
  durationMs: ms,
  chosen: z.array(chosenSchema).describe('Of a dry run, the first 1,000; `byStrategy` counts all.'),
});

export const meSchema = named('Me', {
  name: z.string().describe('The name of the token; `loopback` if there are no tokens.'),
  scope: z.enum(['read', 'act']).describe('`read`: may read. `act`: may read and act.'),
});

export const releasedSchema = named('Released', { released: count });

export type Me = z.output<typeof meSchema>;
export type Problem = z.output<typeof problemSchema>;
export type UserResources = z.output<typeof resourcesSchema>;
export type UserSummary = z.output<typeof userSummarySchema>;
export type ManagerView = z.output<typeof managerSchema>;
export type Sample = z.output<typeof sampleSchema>;
export type Overview = z.output<typeof overviewSchema>;
export type CleanupView = z.output<typeof cleanupSchema>;
export type BackgroundView = z.output<typeof backgroundSchema>;
export type UserView = z.output<typeof userSchema>;
export type UserPage = z.output<typeof userPageSchema>;
export type JournalView = z.output<typeof journalSchema>;
export type KpisView = z.output<typeof kpisSchema>;
export type ConfigView = z.output<typeof configSchema>;
export type ReleasedView = z.output<typeof releasedSchema>;
