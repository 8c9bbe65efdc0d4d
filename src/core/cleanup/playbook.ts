import { maxWithin, type Thresholds } from '../pressure/level.js';
import type { WebSocketConfig } from '../settings.js';
import { routineStrategyNames, type AlertLevel, type CleanupTrigger, type RoutineStrategyName } from '../vocabulary.js';
import { disconnected } from './strategies/disconnected.js';
import { errored } from './strategies/errored.js';
import { idle } from './strategies/idle.js';
import type { RoutineStrategy } from './strategies/victim.js';

/** The file of each routine strategy. */
export const strategiesByName = Object.freeze({ disconnected, idle, error: errored }) satisfies Readonly<
  Record<RoutineStrategyName, RoutineStrategy>
>;

/** The strategies of every cleanup, in their order. */
export const routineStrategies: readonly RoutineStrategy[] = Object.freeze(
  routineStrategyNames.map((name) => strategiesByName[name]),
);

/** The part of its idle timeout that a manager may be idle before each cleanup closes it. It never grows with pressure. */
export const idleRatios = Object.freeze({
  background: () => 1,
  level: ({ patienceRatio }) => patienceRatio,
  admission: ({ patienceRatio }) => patienceRatio,
  request: ({ patienceRatio }) => patienceRatio,
}) satisfies Readonly<Record<CleanupTrigger, (config: WebSocketConfig) => number>>;

/** An eviction of a level under `forcedEviction: 'by-level'`. */
export interface LevelEviction {
  /** Whether the usage still calls for it. */
  readonly applies: (usage: number, thresholds: Thresholds) => boolean;
  /** How many managers the user keeps. */
  readonly keep: (limit: number, thresholds: Thresholds) => number;
  /** How many managers it evicts at most. */
  readonly maxCount: number;
}

const toWarning: LevelEviction = {
  applies: (usage, { warning }) => usage > warning,
  keep: (limit, { warning }) => maxWithin(warning, limit),
  maxCount: 5,
};

const toHalf: LevelEviction = {
  applies: (usage, { critical }) => usage >= critical,
  keep: (limit) => Math.floor(limit / 2),
  maxCount: Infinity,
};

/** The evictions of each level, one after the other. */
export const levelEvictions = Object.freeze({
  normal: [],
  info: [],
  warning: [],
  critical: [toWarning],
  emergency: [toWarning, toHalf],
}) satisfies Readonly<Record<AlertLevel, readonly LevelEviction[]>>;
