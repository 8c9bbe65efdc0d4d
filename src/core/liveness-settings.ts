import { z } from 'zod';
import { bytes, duration, type Setting } from './setting.js';

/** The settings that tell the dead from the living: part of the table of all. */
export const livenessSettings = Object.freeze({
  heartbeatIntervalMs: {
    kind: 'duration',
    schema: duration(50),
    default: 25_000,
    about: 'How often each connection is pinged.',
  },
  maxHeartbeatMisses: {
    kind: 'integer',
    schema: () => z.int().min(2).max(100),
    default: 2,
    about: 'Unanswered heartbeats after which a connection is dead.',
  },
  minSilenceMs: {
    kind: 'duration',
    schema: duration(10),
    follows: ({ emergencyCleanupTimeoutMs }) => Math.min(3_000, 0.6 * emergencyCleanupTimeoutMs),
    about:
      'How long a ping must have been unanswered before its connection may lose its place to a newcomer. Default: 3s, at most 60 % of emergencyCleanupTimeout.',
  },
  slowConsumerTimeoutMs: {
    kind: 'duration',
    schema: duration(100),
    default: 60_000,
    about:
      'How long a connection may take none of its unsent data, or stay silent while we do not read, before it counts as dead.',
  },
  backlogExcuseMs: {
    kind: 'duration',
    schema: duration(10),
    follows: ({ emergencyCleanupTimeoutMs }) => Math.min(10_000, 0.8 * emergencyCleanupTimeoutMs),
    about:
      'How long unsent data may stand still before its connection may lose its place to a newcomer, as the last of all. Default: 10s, at most 80 % of emergencyCleanupTimeout.',
  },
  maxUnsentBytes: {
    kind: 'integer',
    schema: bytes(2 ** 40),
    default: 64 * 1024 * 1024,
    about:
      'Bytes that may wait to be sent to one connection; a message handed over while more than that wait closes it as slow. 0: no limit.',
  },
  stallToleranceMs: {
    kind: 'duration',
    schema: duration(1),
    default: 100,
    about: 'How late a timer may be before its lateness counts as stalled time.',
  },
} as const satisfies Record<string, Setting>);
