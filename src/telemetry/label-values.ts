import type { AdminAction } from '../core/events.js';
import { cleanupTriggers, closeCauses, releaseReasons, releasers, strategyNames } from '../core/vocabulary.js';
import { namesOf } from './instrument.js';

/** Cleanups of one user. The cycles of the background are measured apart: each is about everybody. */
export const perUserTriggers = cleanupTriggers.filter((trigger) => trigger !== 'background');
export const triggers = cleanupTriggers;
export const finders = [...releasers, 'none'];
export const strategies = strategyNames;
export const causes = closeCauses;
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
