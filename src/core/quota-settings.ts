import { z } from 'zod';
import { duration, type Setting } from './setting.js';

/** The settings of a quota that several processes share. They do nothing without a ledger. */
export const quotaSettings = Object.freeze({
  nodeTimeoutMs: {
    kind: 'duration',
    schema: duration(10, 3_600_000),
    follows: ({ emergencyCleanupTimeoutMs }) => 0.5 * emergencyCleanupTimeoutMs,
    about:
      'With a shared quota: for how long a process may be silent before the others take it for dead, and its slots are free. Default: half of emergencyCleanupTimeout.',
  },
  nodeBeatMs: {
    kind: 'duration',
    schema: duration(5, 3_600_000),
    follows: ({ emergencyCleanupTimeoutMs }) =>
      Math.max(0.1 * emergencyCleanupTimeoutMs, Math.min(250, 0.125 * emergencyCleanupTimeoutMs)),
    about:
      'With a shared quota: how often a process says that it is alive. Default: a tenth of emergencyCleanupTimeout, or 250ms if that is less, but at most an eighth of it.',
  },
  failOpen: {
    kind: 'flag',
    schema: () => z.boolean(),
    default: true,
    about:
      'Whether the local limit decides while the shared quota cannot be asked; if not, newcomers are refused with `unavailable`.',
  },
} as const satisfies Record<string, Setting>);
