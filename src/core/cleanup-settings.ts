import { z } from 'zod';
import { duration, ratio, type Setting } from './setting.js';

/** The settings of cleanups, and of the levels and times that they go by: part of the table of all. */
export const cleanupSettings = Object.freeze({
  emergencyCleanupTimeoutMs: { kind: 'duration', schema: duration(100), about: 'The time an emergency cleanup has.' },
  maxCleanupRetries: {
    kind: 'integer',
    schema: () => z.int().min(1).max(3),
    default: 3,
    about: 'Passes of an emergency cleanup.',
  },
  emergencyCleanupSpacingMs: {
    kind: 'duration',
    schema: duration(0),
    default: 1_000,
    about: 'The least time between the starts of two emergency cleanups of one user.',
  },
  probeTimeoutMs: {
    kind: 'duration',
    schema: duration(10),
    default: 500,
    about: 'How long each of the two pings of a probe waits for a byte; longer where the round trip is long.',
  },
  backgroundCleanupIntervalMs: {
    kind: 'duration',
    schema: duration(100),
    about: 'The time between background cleanups.',
  },
  proactiveCleanupThreshold: {
    kind: 'ratio',
    schema: ratio,
    about: 'The usage at which the level is `warning` and cleanup starts; `info` begins at two thirds of it.',
  },
  criticalThreshold: {
    kind: 'ratio',
    schema: ratio,
    default: 0.8,
    about: 'The usage at which the level is `critical`.',
  },
  emergencyThreshold: {
    kind: 'ratio',
    schema: ratio,
    default: 0.9,
    about: 'The usage at which the level is `emergency`. Below a limit of 5 there are only `normal` and `info`.',
  },
  idleManagerTimeoutMs: {
    kind: 'duration',
    schema: () => duration(100)().nullable(),
    about:
      'How long a manager may go without activity. `off` (in code `null`): without limit, for pages that only listen. Other times that depend on it are then computed from 10m.',
  },
  patienceRatio: {
    kind: 'ratio',
    schema: ratio,
    default: 0.3,
    about: 'The part of idleManagerTimeout that cleanups under pressure allow.',
  },
  evictionFloorRatio: {
    kind: 'ratio',
    schema: ratio,
    default: 0.1,
    about: 'The part of idleManagerTimeout within which an active manager is never evicted.',
  },
  streamingWindowMs: {
    kind: 'duration',
    schema: duration(0),
    default: 5_000,
    about: 'How long after a write completed a manager counts as streaming.',
  },
  forcedEviction: {
    kind: 'choice',
    schema: () => z.enum(['on-demand', 'by-level']),
    default: 'on-demand',
    about:
      'Whether managers are evicted only for waiting newcomers, or by alert level too, as the original sketch does.',
  },
  cleanupCooldownMs: {
    kind: 'duration',
    schema: duration(0),
    default: 5_000,
    about: 'The least time between two level-driven cleanups of one user.',
  },
} as const satisfies Record<string, Setting>);
