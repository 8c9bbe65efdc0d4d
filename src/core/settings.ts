import { z } from 'zod';
import { closeCodeProfileNames } from './close-codes.js';
import { cleanupSettings } from './cleanup-settings.js';
import { livenessSettings } from './liveness-settings.js';
import { quotaSettings } from './quota-settings.js';
import { bytes, closeCode, duration, type Setting } from './setting.js';
import { closeCauses } from './vocabulary.js';

/** Every setting, with its kind, range, default and purpose. The reference page is made from this table. */
export const settings = Object.freeze({
  maxManagersPerUser: {
    kind: 'integer',
    schema: () => z.int().min(0).max(100_000),
    about: 'Managers one user may hold; 0 refuses everybody.',
  },
  maxTotalManagers: {
    kind: 'integer',
    schema: () => z.int().min(1).nullable(),
    default: null,
    about:
      'Managers this process may hold; none by default in the library, half the file-descriptor limit in the server.',
  },
  maxUnadmittedSockets: {
    kind: 'integer',
    schema: () => z.int().min(1).nullable(),
    default: null,
    about:
      'Sockets that may be unauthenticated at once, and newcomers that may wait at once. Default: a tenth of maxTotalManagers, at least 100; none without it.',
  },
  threadIdPrefix: {
    kind: 'text',
    schema: () => z.string().regex(/^[!-~]{0,64}$/),
    default: 'thread_',
    about: 'What every thread id begins with: up to 64 visible ASCII characters, or nothing.',
  },
  ...cleanupSettings,
  ...livenessSettings,
  maxHoldMs: {
    kind: 'duration',
    schema: duration(1, 2 ** 31 - 1),
    default: 3_600_000,
    about: 'How long a hold lasts unless it ends or is renewed before.',
  },
  resumeGraceMs: {
    kind: 'duration',
    schema: duration(0, 3_600_000),
    default: 10_000,
    about: 'How long a held manager without a connection waits for the next connection of its thread. 0: not at all.',
  },
  ticketMs: {
    kind: 'duration',
    schema: duration(10),
    default: 10_000,
    about: 'How long a granted slot waits for its socket.',
  },
  authenticateTimeoutMs: {
    kind: 'duration',
    schema: duration(10),
    default: 10_000,
    about: 'How long authentication may take.',
  },
  closeGraceMs: {
    kind: 'duration',
    schema: duration(0),
    default: 1_000,
    about: 'How long a peer has to answer a close frame before the socket is destroyed.',
  },
  hookTimeoutMs: {
    kind: 'duration',
    schema: duration(1),
    default: 5_000,
    about: 'How long an onRelease hook may run before it is reported and abandoned.',
  },
  reportedErrorTimeoutMs: {
    kind: 'duration',
    schema: duration(0),
    default: 300_000,
    about: 'How long a reported error may stand before the manager is released.',
  },
  takeoverFightLimit: {
    kind: 'integer',
    schema: () => z.int().min(1).max(1_000),
    default: 5,
    about: 'Takeovers of one key within takeoverFightWindow after which the incumbent is asked first.',
  },
  takeoverFightWindowMs: {
    kind: 'duration',
    schema: duration(100),
    default: 10_000,
    about: 'The window of takeoverFightLimit.',
  },
  contestedRetryMs: {
    kind: 'duration',
    schema: duration(0),
    default: 10_000,
    about: 'When the loser of a fight for a key is told to come back, ± 50 %.',
  },
  drainRetryMs: {
    kind: 'duration',
    schema: duration(0),
    default: 5_000,
    about: 'When clients of a stopping server are told to reconnect, ± 50 %.',
  },
  drainWaveSize: {
    kind: 'integer',
    schema: () => z.int().min(1),
    default: 500,
    about: 'Connections closed at once while stopping.',
  },
  drainWaveIntervalMs: {
    kind: 'duration',
    schema: duration(0),
    default: 100,
    about: 'The time between two waves of closes while stopping.',
  },
  drainHoldTimeoutMs: {
    kind: 'duration',
    schema: duration(0),
    default: 15_000,
    about: 'How long a stopping server waits for held managers, before it closes them too.',
  },
  ...quotaSettings,
  sliceBudgetMs: {
    kind: 'duration',
    schema: duration(1, 1_000),
    default: 5,
    about: 'How long a sweep works before it lets the process do something else.',
  },
  recogniseKeepalives: {
    kind: 'flag',
    schema: () => z.boolean(),
    default: true,
    about:
      'Whether keepalives of widely used protocols are told from activity. A function `isKeepalive` of your own counts either way.',
  },
  leakDetection: {
    kind: 'choice',
    schema: () => z.enum(['off', 'sampled', 'all']),
    default: 'off',
    about:
      'Whether to look for released managers that the application still refers to: never, one in a hundred, or all.',
  },
  journalBytes: {
    kind: 'integer',
    schema: bytes(2 ** 31),
    default: 0,
    about:
      'What the journal of decisions about each user may take, in bytes; 0 keeps none. None by default in the library, 24 MiB in the server.',
  },
  kpiWindowMs: {
    kind: 'duration',
    schema: duration(300_000),
    default: 86_400_000,
    about: 'The time that the success metrics cover. It has 24 parts; the oldest is dropped as a whole.',
  },
  closeCodes: {
    kind: 'table',
    schema: () =>
      z.union([z.enum(closeCodeProfileNames), z.partialRecord(z.enum(closeCauses), closeCode())], {
        error: ({ input }) =>
          typeof input === 'string' ? `wanted ${closeCodeProfileNames.join(' or ')}, or codes by cause` : undefined,
      }),
    default: {},
    about: 'Other close codes for some causes, or `graphql-ws`: codes that its client obeys.',
  },
} as const satisfies Record<string, Setting>);

/** The name of a setting, as in code. */
export type SettingName = keyof typeof settings;

/** All settings, with durations in milliseconds. */
export type WebSocketConfig = {
  readonly [Name in SettingName]: z.output<ReturnType<(typeof settings)[Name]['schema']>>;
};

/** All names, in the order of the reference. */
export const settingNames = Object.freeze(Object.keys(settings)) as readonly SettingName[];
