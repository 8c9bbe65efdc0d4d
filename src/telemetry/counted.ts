import type { MooringEventName, MooringEvents } from '../core/event-table.js';
import type { MooringEvent } from '../core/events.js';
import {
  alertLevels,
  cleanupTriggers,
  closeCauses,
  releasers,
  releaseReasons,
  strategyNames,
  type CleanupTrigger,
  type StrategyTally,
} from '../core/vocabulary.js';
import { adminActions } from '../events/edge-events.js';
import {
  namesOf,
  type CounterInstrument,
  type HistogramInstrument,
  type Labels,
  type Measurement,
} from './instrument.js';

/** In seconds, from a millisecond to longer than an emergency cleanup may take. */
const latencies = Object.freeze([0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30]);
/** In seconds, from one to a day. */
const ages = Object.freeze([1, 10, 60, 300, 600, 1_800, 3_600, 14_400, 86_400]);

/** Cleanups of one user. Cycles of the background cleanup are about all users and have their own histogram. */
const perUserTriggers = cleanupTriggers.filter((trigger) => trigger !== 'background');
const leaked = ['manager', 'socket'];

const one = (labels: Labels = {}): Measurement[] => [{ value: 1, labels }];
const inSeconds = (durationMs: number, labels: Labels = {}): Measurement[] => [{ value: durationMs / 1_000, labels }];
/** Newcomers that did not have to wait are left out: they would hide those that had to. */
const waited = (waitedMs: number, outcome: string): Measurement[] =>
  waitedMs > 0 ? inSeconds(waitedMs, { outcome }) : [];
const tallied = (byStrategy: StrategyTally, trigger: CleanupTrigger): Measurement[] =>
  strategyNames.map((strategy) => ({ value: byStrategy[strategy], labels: { strategy, trigger } }));

type EventCounter<Name extends MooringEventName, Label extends string> = Pick<CounterInstrument, 'about' | 'unit'> & {
  /** Labels that are fields of the event. @default none */
  readonly labels?: Readonly<Record<Label, readonly string[]>>;
  /** How much an event adds; nothing is recorded for 0. @default 1 */
  readonly amount?: (event: MooringEvent<Name>) => number;
};

/** A counter that is fed by the events of one name. */
function eventsOf<Name extends MooringEventName, Label extends string & keyof MooringEvents[Name] = never>(
  name: Name,
  { about, unit, labels, amount = () => 1 }: EventCounter<Name, Label>,
): CounterInstrument {
  const fields = Object.keys(labels ?? {}) as Label[];
  const measure = (event: MooringEvent<Name>): Measurement[] => {
    const value = amount(event);
    const labelled = Object.fromEntries(fields.map((field) => [field, String(event[field])]));
    return value === 0 ? [] : [{ value, labels: labelled }];
  };
  return { kind: 'counter', about, unit, labels: labels ?? {}, fedBy: { [name]: measure } };
}

/** What is fed by the event stream, by its name in Prometheus. */
export const counted = Object.freeze({
  mooring_admissions_total: eventsOf('manager.admitted', { about: 'Managers admitted.', unit: '{manager}' }),
  mooring_takeovers_total: eventsOf('connection.replaced', {
    about: 'Connections replaced by a newer one of the same thread.',
    unit: '{connection}',
  }),
  mooring_resumptions_total: eventsOf('connection.resumed', {
    about: 'Held managers that waited for the next connection of their thread, and got it.',
    unit: '{connection}',
  }),
  mooring_lapsed_holds_total: {
    kind: 'counter',
    about: 'Holds that expired, or were forgotten: without activity for the idle timeout of their manager.',
    unit: '{hold}',
    labels: { how: ['expired', 'forgotten'] },
    fedBy: {
      'hold.expired': () => one({ how: 'expired' }),
      'hold.forgotten': ({ holds }) => [{ value: holds, labels: { how: 'forgotten' } }],
    },
  },
  mooring_queued_total: eventsOf('admission.queued', {
    about: 'Newcomers that had to wait for a slot.',
    unit: '{newcomer}',
  }),
  mooring_cancellations_total: eventsOf('admission.cancelled', {
    about: 'Newcomers that gave up while they waited.',
    unit: '{newcomer}',
  }),
  mooring_refusals_total: {
    kind: 'counter',
    about: 'Newcomers refused, by the cause they were told.',
    unit: '{newcomer}',
    labels: { cause: closeCauses },
    fedBy: { 'admission.refused': ({ closeCause: cause }) => one({ cause }) },
  },
  mooring_admission_wait_seconds: {
    kind: 'histogram',
    about: 'How long newcomers waited for a slot, by outcome. Newcomers that did not have to wait are not counted.',
    unit: 's',
    labels: { outcome: ['admitted', 'refused', 'cancelled'] },
    buckets: latencies,
    fedBy: {
      'manager.admitted': ({ waitedMs }) => waited(waitedMs, 'admitted'),
      'admission.refused': ({ waitedMs }) => waited(waitedMs, 'refused'),
      'admission.cancelled': ({ waitedMs }) => waited(waitedMs, 'cancelled'),
    },
  },
  mooring_releases_total: {
    kind: 'counter',
    about:
      'Managers released, by reason and by what found them; `none` if the socket closed, or an operator or the application asked.',
    unit: '{manager}',
    labels: { reason: namesOf(releaseReasons), by: [...releasers, 'none'] },
    fedBy: { 'manager.released': ({ reason, by }) => one({ reason, by: by ?? 'none' }) },
  },
  mooring_manager_age_seconds: {
    kind: 'histogram',
    about: 'How old managers were when they were released.',
    unit: 's',
    labels: {},
    buckets: ages,
    fedBy: { 'manager.released': ({ ageMs }) => inSeconds(ageMs) },
  },
  mooring_heartbeat_misses_total: eventsOf('heartbeat.missed', {
    about: 'Pings of the heartbeat that were not answered in time.',
    unit: '{ping}',
  }),
  mooring_late_answers_total: eventsOf('connection.answeredLate', {
    about: 'Connections released as dead that sent something before they were destroyed: false kills.',
    unit: '{connection}',
    amount: ({ by }) => Number(by === 'heartbeat'),
  }),
  mooring_suspects_heard_late_total: eventsOf('connection.answeredLate', {
    about: 'Suspects whose place went to a newcomer, and that sent something before they were destroyed.',
    unit: '{connection}',
    amount: ({ by }) => Number(by !== 'heartbeat'),
  }),
  mooring_never_answering_total: eventsOf('connection.neverAnswers', {
    about: 'Connections whose client sends messages and answers no ping.',
    unit: '{connection}',
  }),
  mooring_level_changes_total: eventsOf('level.changed', {
    about: 'Changes of alert levels, by the level reached.',
    unit: '{change}',
    labels: { level: alertLevels, direction: ['rise', 'fall'] },
  }),
  mooring_cleanup_seconds: {
    kind: 'histogram',
    about: 'How long cleanups of one user took, by trigger. Its count is the number of cleanups.',
    unit: 's',
    labels: { trigger: perUserTriggers },
    buckets: latencies,
    fedBy: { 'cleanup.completed': ({ durationMs, trigger }) => inSeconds(durationMs, { trigger }) },
  },
  mooring_cleanup_timeouts_total: eventsOf('cleanup.completed', {
    about: 'Cleanups that ran out of time.',
    unit: '{cleanup}',
    labels: { trigger: perUserTriggers },
    amount: ({ timedOut }) => Number(timedOut),
  }),
  mooring_cleanup_failures_total: eventsOf('cleanup.failed', {
    about: 'Passes of a cleanup that threw; the cleanup went on.',
    unit: '{pass}',
    labels: { trigger: cleanupTriggers },
  }),
  mooring_cleaned_total: {
    kind: 'counter',
    about: 'Managers released by cleanups, by the strategy that chose them and the trigger of the cleanup.',
    unit: '{manager}',
    labels: { strategy: strategyNames, trigger: cleanupTriggers },
    fedBy: {
      'cleanup.completed': ({ byStrategy, trigger }) => tallied(byStrategy, trigger),
      'background.completed': ({ byStrategy }) => tallied(byStrategy, 'background'),
    },
  },
  mooring_background_cycle_seconds: {
    kind: 'histogram',
    about:
      'How long cycles of the background cleanup took, from the first slice to the last. Its count is the number of cycles.',
    unit: 's',
    labels: {},
    buckets: latencies,
    fedBy: { 'background.completed': ({ durationMs }) => inSeconds(durationMs) },
  },
  mooring_hook_failures_total: eventsOf('hook.failed', {
    about: 'Hooks of `onRelease` that threw, rejected or ran out of time.',
    unit: '{hook}',
  }),
  mooring_listener_failures_total: eventsOf('listener.failed', {
    about: 'Listeners of the event stream that threw or rejected.',
    unit: '{call}',
  }),
  mooring_limit_failures_total: eventsOf('limit.rejected', {
    about: 'Calls of `limitOf` that threw, and limits that are not valid; the configured limit was used.',
    unit: '{call}',
  }),
  mooring_ledger_failures_total: eventsOf('ledger.failed', {
    about: 'Failures of the quota ledger; the local limit decided.',
    unit: '{call}',
  }),
  mooring_lost_claims_total: eventsOf('claim.lost', {
    about: 'Slots that could not be released in the quota ledger, and that are not tried again.',
    unit: '{claim}',
  }),
  mooring_leaks_found_total: eventsOf('leak.found', {
    about: 'With `leakDetection`: managers kept after their release, and sockets open after they were destroyed.',
    unit: '{leak}',
    labels: { what: leaked },
  }),
  mooring_leaks_gone_total: eventsOf('leak.gone', {
    about: 'Leaks that were found, and were gone later.',
    unit: '{leak}',
    labels: { what: leaked },
  }),
  mooring_stalls_total: eventsOf('process.stalled', {
    about: 'Times this process did not run for a while.',
    unit: '{stall}',
  }),
  mooring_stalled_seconds_total: eventsOf('process.stalled', {
    about: 'How long this process did not run, in all.',
    unit: 's',
    amount: ({ stalledMs }) => stalledMs / 1_000,
  }),
  mooring_authentication_failures_total: eventsOf('authentication.failed', {
    about: 'Calls of `authenticate`, `allowedOrigins` or `attemptRate` that failed. Wrong credentials are refusals.',
    unit: '{call}',
  }),
  mooring_rejected_sockets_total: eventsOf('socket.rejected', {
    about: 'Sockets refused before authentication, by HTTP status.',
    unit: '{socket}',
    labels: { status: ['403', '429', '503'] },
  }),
  mooring_admin_actions_total: eventsOf('admin.acted', {
    about: 'Actions of operators over the admin API.',
    unit: '{action}',
    labels: { action: adminActions, outcome: ['done', 'failed'] },
  }),
  mooring_admin_refusals_total: eventsOf('admin.refused', {
    about: 'Requests that the admin API refused: no token or a wrong one (401), not allowed (403), too many (429).',
    unit: '{request}',
    labels: { status: ['401', '403', '429'] },
    amount: ({ more }) => 1 + more,
  }),
  mooring_admin_failures_total: eventsOf('admin.failed', {
    about: 'Requests that failed because of an error in the admin API.',
    unit: '{request}',
  }),
  mooring_viewers_dropped_total: eventsOf('viewer.dropped', {
    about: 'Viewers of the event stream that were disconnected, since they read nothing for a minute.',
    unit: '{viewer}',
  }),
  mooring_viewer_events_missed_total: eventsOf('viewer.missed', {
    about: 'Events that viewers of the event stream lost, since they read too slowly.',
    unit: '{event}',
    amount: ({ events }) => events,
  }),
} as const satisfies Record<string, CounterInstrument | HistogramInstrument>);
