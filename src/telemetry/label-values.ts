import { closeCodes } from '../core/close-codes.js';
import type { AdminAction, CleanupTrigger, ReleasedBy, StrategyName } from '../core/events.js';
import { releaseReasons } from '../core/managers/release-reason.js';
import { namesOf } from './instrument.js';

// Sets of label values, as keys of objects: so the compiler sees when one is missing.

/** Cleanups of one user. The cycles of the background are measured apart: each is about everybody. */
export const perUserTriggers = namesOf<Exclude<CleanupTrigger, 'background'>>({ level: 1, admission: 1, request: 1 });
export const triggers = ['background', ...perUserTriggers] as const;
export const finders = namesOf<ReleasedBy | 'none'>({
  heartbeat: 1,
  background: 1,
  level: 1,
  admission: 1,
  request: 1,
  none: 1,
});
export const strategies = namesOf<StrategyName>({ disconnected: 1, idle: 1, error: 1, oldest: 1 });
export const causes = namesOf(closeCodes);
export const reasons = namesOf(releaseReasons);
export const actions = namesOf<AdminAction>({
  check: 1,
  cleanup: 1,
  'cleanup (dry run)': 1,
  'emergency-cleanup': 1,
  'emergency-cleanup (dry run)': 1,
  'background-cleanup': 1,
  'background-cleanup (dry run)': 1,
  release: 1,
  'release-all': 1,
});
export const leaked = ['manager', 'socket'];
