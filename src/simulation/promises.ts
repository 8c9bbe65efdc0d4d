/** What must hold after every step of a simulated world. */
export const invariants = {
  'within the limit': 'No user holds more managers than the limit, or than when it was last lowered.',
  'within the total': 'No more managers than `maxTotalManagers`.',
  'index is true': 'The registry holds exactly what was admitted and not released.',
  'released once': 'Every manager is released exactly once, and nothing is that was not admitted.',
  'served in order':
    "A user's newcomers are served in order of arrival. Only newcomers that have sent bytes since they were accepted get the place of a suspect or of an evicted connection.",
  'one for one': 'No more suspects and evicted connections make room than newcomers that sent bytes get in.',
  'suspects give way': 'No newcomer that sent bytes waits while its user has a suspect.',
  'places come back': 'A newcomer that left has no place in the queue.',
  'no wrong refusal':
    'No client that answers is refused for quota while more of the counted managers are dead than newcomers are ahead of it.',
  'takeover is free': 'A newcomer whose thread has a manager neither waits for a slot nor is refused for quota.',
  'fights are settled': 'A thread changes hands no more often than the fight limit allows while both sides answer.',
  'engaged stays': 'No engaged connection is closed to make room.',
  'answering stays': 'No connection whose peer answers is released as dead.',
  'silence is patient':
    'No connection is released as silent before one of our pings has been unanswered for the configured time.',
  'slow means slow':
    'No connection is released as slow if its data moved, or if we read from it, within the configured time.',
  'idle means idle': 'No manager is released as idle if it was active within the timeout, or is held.',
  'error means error': 'No manager is released for an error unless an error was reported.',
  'closed means closed': 'No manager is released as closed while its own connection is open.',
  'a reload ends no run':
    'A held manager whose connection closes or breaks waits for the next one, unless a newcomer needs its place.',
  'unattached means unattached': 'No manager is released as unattached if it ever had a socket.',
  'asked means asked': 'No manager is released as requested without a request, nor for shutdown without a stop.',
  'closes for a reason': 'No connection is closed by the server while it is the current one of a manager.',
  'goodbye is said': 'A connection that is released or replaced is told at once, and closed within the close grace.',
  'hooks run': 'Every release hook runs exactly once, and its signal aborts when its time is up.',
  'idle goes': 'No connection stays that neither side has used for the idle timeout and two background cycles.',
  'silent goes': 'No connection stays whose peer has been unreachable for longer than the heartbeats need to notice.',
  'told in full': 'Cleanups report as many idle and evicted managers as were released.',
  'told afterwards': 'What an event reports has already happened.',
  'levels are patient': "A user's level acts at most once in the cool-down.",
  'nothing fails': 'No cleanup, listener, limit or ledger fails unless the world made it fail.',
  'claims come back': 'Once all clients have gone, a working quota ledger has no slot in use.',
  'no orphans': 'Once all clients have gone and the longest deadline has passed, nothing is left.',
  'stop is final':
    'After a stop was requested no newcomer is admitted, waiting ones are refused, and then no event follows.',
  'nothing after stop': 'After stop() there is no manager, no timer, no open socket and no waiting newcomer.',
  'no exception': 'The core throws nothing, and leaves no rejected promise unhandled.',
} as const satisfies Record<string, string>;

/** The name of a promise. */
export type InvariantName = keyof typeof invariants;

/** Reports a broken promise. */
export type Report = (invariant: InvariantName, message: string) => void;

/** A broken promise. */
export interface Violation {
  readonly atMs: number;
  /** Which one. */
  readonly invariant: InvariantName;
  readonly message: string;
}

/** Promises that the server breaks by closing a connection whose peer answers. */
export const closesHealthy: ReadonlySet<InvariantName> = new Set<InvariantName>([
  'engaged stays',
  'answering stays',
  'silence is patient',
  'slow means slow',
  'idle means idle',
  'error means error',
  'closed means closed',
  'unattached means unattached',
  'asked means asked',
  'closes for a reason',
]);
