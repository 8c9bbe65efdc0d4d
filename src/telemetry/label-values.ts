import { cleanupTriggers, closeCauses, releaseReasons, releasers, strategyNames } from '../core/vocabulary.js';
import { adminActions } from '../events/edge-events.js';
import { namesOf } from './instrument.js';

/** Cleanups of one user. Cycles of the background cleanup are measured apart: each is about all users. */
export const perUserTriggers = cleanupTriggers.filter((trigger) => trigger !== 'background');
export const triggers = cleanupTriggers;
export const finders = [...releasers, 'none'];
export const strategies = strategyNames;
export const causes = closeCauses;
export const reasons = namesOf(releaseReasons);
export const actions = adminActions;
export const leaked = ['manager', 'socket'];
