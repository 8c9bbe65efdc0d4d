import type { CloseDetail } from '../close-codes.js';
import type { CloseCause, Finding, ReleasedBy } from '../vocabulary.js';

/** What else is to be said of a release. */
export interface ReleaseOptions {
  /** What to tell the peer instead of what the reason says by itself. */
  readonly closeCause?: CloseCause | undefined;
  readonly detail?: CloseDetail;
  /** The cleanup, or the heartbeat, that found it. */
  readonly by?: ReleasedBy;
  /** What it was measured against. */
  readonly limitMs?: number | undefined;
  /** What showed that it is dead. */
  readonly finding?: Finding | undefined;
  /** Its place is for a newcomer that was heard of: a newcomer that was accepted and has answered nothing is passed over. */
  readonly isForHeard?: boolean;
}
