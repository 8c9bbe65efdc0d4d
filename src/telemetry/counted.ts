import { alertLevels, type CleanupTrigger, type StrategyTally } from '../core/vocabulary.js';
import type { CounterInstrument, HistogramInstrument, Labels, Measurement } from './instrument.js';
import { actions, causes, finders, leaked, perUserTriggers, reasons, strategies, triggers } from './label-values.js';

/** In seconds, from a millisecond to longer than an emergency cleanup may take. */
const latencies = Object.freeze([0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30]);
/** In seconds, from one to a day. */
const ages = Object.freeze([1, 10, 60, 300, 600, 1_800, 3_600, 14_400, 86_400]);

const one = (labels: Labels = {}): Measurement[] => [{ value: 1, labels }];
const inSeconds = (durationMs: number, labels: Labels = {}): Measurement[] => [{ value: durationMs / 1_000, labels }];
/** Newcomers that did not have to wait would hide those that had to. */
const waited = (waitedMs: number, outcome: string): Measurement[] =>
  waitedMs > 0 ? inSeconds(waitedMs, { outcome }) : [];
const tallied = (byStrategy: StrategyTally, trigger: CleanupTrigger): Measurement[] =>
  strategies.map((strategy) => ({ value: byStrategy[strategy], labels: { strategy, trigger } }));

/** What is fed by the event stream, by its name in Prometheus. */
export const counted = Object.freeze({
  mooring_admissions_total: {
    kind: 'counter',
    about: 'Managers admitted.',
    unit: '{manager}',
    labels: {},
    fedBy: { 'manager.admitted': () => one() },
  },
  mooring_takeovers_total: {
    kind: 'counter',
    about: 'Connections replaced by a newer one of the same thread.',
    unit: '{connection}',
    labels: {},
    fedBy: { 'connection.replaced': () => one() },
  },
  mooring_resumptions_total: {
    kind: 'counter',
    about: 'Held managers that waited for the next connection of their thread, and got it.',
    unit: '{connection}',
    labels: {},
    fedBy: { 'connection.resumed': () => one() },
  },
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
  mooring_queued_total: {
    kind: 'counter',
    about: 'Newcomers that had to wait for a slot.',
    unit: '{newcomer}',
    labels: {},
    fedBy: { 'admission.queued': () => one() },
  },
  mooring_cancellations_total: {
    kind: 'counter',
    about: 'Newcomers that gave up while they waited.',
    unit: '{newcomer}',
    labels: {},
    fedBy: { 'admission.cancelled': () => one() },
  },
  mooring_refusals_total: {
    kind: 'counter',
    about: 'Newcomers refused, by the cause they were told.',
    unit: '{newcomer}',
    labels: { cause: causes },
    fedBy: { 'admission.refused': ({ closeCause: cause }) => one({ cause }) },
  },
  mooring_admission_wait_seconds: {
    kind: 'histogram',
    about: 'How long newcomers waited that had to wait, by how it ended.',
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
    about: 'Managers released, by reason and by who found it; `none` stands for its own socket, or whoever asked.',
    unit: '{manager}',
    labels: { reason: reasons, by: finders },
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
  mooring_heartbeat_misses_total: {
    kind: 'counter',
    about: 'Pings of the heartbeat found unanswered.',
    unit: '{ping}',
    labels: {},
    fedBy: { 'heartbeat.missed': () => one() },
  },
  mooring_late_answers_total: {
    kind: 'counter',
    about: 'Connections released as dead that sent something before they were destroyed: false kills.',
    unit: '{connection}',
    labels: {},
    fedBy: { 'connection.answeredLate': ({ by }) => (by === 'heartbeat' ? one() : []) },
  },
  mooring_suspects_heard_late_total: {
    kind: 'counter',
    about: 'Suspects whose place went to a newcomer, and that sent something before they were destroyed.',
    unit: '{connection}',
    labels: {},
    fedBy: { 'connection.answeredLate': ({ by }) => (by === 'heartbeat' ? [] : one()) },
  },
  mooring_never_answering_total: {
    kind: 'counter',
    about: 'Connections whose client talks and answers no ping.',
    unit: '{connection}',
    labels: {},
    fedBy: { 'connection.neverAnswers': () => one() },
  },
  mooring_level_changes_total: {
    kind: 'counter',
    about: 'Changes of alert levels, by the level reached.',
    unit: '{change}',
    labels: { level: alertLevels, direction: ['rise', 'fall'] },
    fedBy: { 'level.changed': ({ level, direction }) => one({ level, direction }) },
  },
  mooring_cleanup_seconds: {
    kind: 'histogram',
    about: 'How long cleanups of one user took, by what they ran for. Its count is the number of cleanups.',
    unit: 's',
    labels: { trigger: perUserTriggers },
    buckets: latencies,
    fedBy: { 'cleanup.completed': ({ durationMs, trigger }) => inSeconds(durationMs, { trigger }) },
  },
  mooring_cleanup_timeouts_total: {
    kind: 'counter',
    about: 'Cleanups that ran out of time.',
    unit: '{cleanup}',
    labels: { trigger: perUserTriggers },
    fedBy: { 'cleanup.completed': ({ timedOut, trigger }) => (timedOut ? one({ trigger }) : []) },
  },
  mooring_cleanup_failures_total: {
    kind: 'counter',
    about: 'Passes of a cleanup that threw; the cleanup went on.',
    unit: '{pass}',
    labels: { trigger: triggers },
    fedBy: { 'cleanup.failed': ({ trigger }) => one({ trigger }) },
  },
  mooring_cleaned_total: {
    kind: 'counter',
    about: 'Managers released by cleanups, by the strategy that chose them and what the cleanup ran for.',
    unit: '{manager}',
    labels: { strategy: strategies, trigger: triggers },
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
  mooring_hook_failures_total: {
    kind: 'counter',
    about: 'Hooks of `onRelease` that threw, rejected or ran out of time.',
    unit: '{hook}',
    labels: {},
    fedBy: { 'hook.failed': () => one() },
  },
  mooring_listener_failures_total: {
    kind: 'counter',
    about: 'Listeners of the event stream that threw or rejected.',
    unit: '{call}',
    labels: {},
    fedBy: { 'listener.failed': () => one() },
  },
  mooring_limit_failures_total: {
    kind: 'counter',
    about:
      'Calls of `limitOf` that threw, and limits of it or of connections that were none; the configured one was used.',
    unit: '{call}',
    labels: {},
    fedBy: { 'limit.rejected': () => one() },
  },
  mooring_ledger_failures_total: {
    kind: 'counter',
    about: 'Failures of the quota ledger; the local limit decided.',
    unit: '{call}',
    labels: {},
    fedBy: { 'ledger.failed': () => one() },
  },
  mooring_lost_claims_total: {
    kind: 'counter',
    about: 'Claims the quota ledger would not take back, and that are not tried any longer.',
    unit: '{claim}',
    labels: {},
    fedBy: { 'claim.lost': () => one() },
  },
  mooring_leaks_found_total: {
    kind: 'counter',
    about: 'With `leakDetection`: managers kept after their release, and sockets open after they were destroyed.',
    unit: '{leak}',
    labels: { what: leaked },
    fedBy: { 'leak.found': ({ what }) => one({ what }) },
  },
  mooring_leaks_gone_total: {
    kind: 'counter',
    about: 'What was found as a leak and is gone after all.',
    unit: '{leak}',
    labels: { what: leaked },
    fedBy: { 'leak.gone': ({ what }) => one({ what }) },
  },
  mooring_stalls_total: {
    kind: 'counter',
    about: 'Times this process did not run for a while.',
    unit: '{stall}',
    labels: {},
    fedBy: { 'process.stalled': () => one() },
  },
  mooring_stalled_seconds_total: {
    kind: 'counter',
    about: 'How long it did not run, in all.',
    unit: 's',
    labels: {},
    fedBy: { 'process.stalled': ({ stalledMs }) => inSeconds(stalledMs) },
  },
  mooring_authentication_failures_total: {
    kind: 'counter',
    about: 'Times `authenticate`, `allowedOrigins` or `attemptRate` failed by itself. Wrong credentials are refusals.',
    unit: '{call}',
    labels: {},
    fedBy: { 'authentication.failed': () => one() },
  },
  mooring_rejected_sockets_total: {
    kind: 'counter',
    about: 'Sockets turned away before authentication, by HTTP status.',
    unit: '{socket}',
    labels: { status: ['403', '429', '503'] },
    fedBy: { 'socket.rejected': ({ status }) => one({ status: String(status) }) },
  },
  mooring_admin_actions_total: {
    kind: 'counter',
    about: 'What was done by hand, over the admin API.',
    unit: '{action}',
    labels: { action: actions, outcome: ['done', 'failed'] },
    fedBy: { 'admin.acted': ({ action, outcome }) => one({ action, outcome }) },
  },
  mooring_admin_refusals_total: {
    kind: 'counter',
    about: 'Requests the admin API turned away: no token or a wrong one (401), may not (403), too often (429).',
    unit: '{request}',
    labels: { status: ['401', '403', '429'] },
    fedBy: { 'admin.refused': ({ status, more }) => [{ value: 1 + more, labels: { status: String(status) } }] },
  },
  mooring_admin_failures_total: {
    kind: 'counter',
    about: 'Requests the admin API failed at by itself.',
    unit: '{request}',
    labels: {},
    fedBy: { 'admin.failed': () => one() },
  },
  mooring_viewers_dropped_total: {
    kind: 'counter',
    about: 'Viewers of the event stream that took nothing for a minute.',
    unit: '{viewer}',
    labels: {},
    fedBy: { 'viewer.dropped': () => one() },
  },
  mooring_viewer_events_missed_total: {
    kind: 'counter',
    about: 'Events that viewers lost who read too slowly.',
    unit: '{event}',
    labels: {},
    fedBy: { 'viewer.missed': ({ events }) => [{ value: events }] },
  },
} as const satisfies Record<string, CounterInstrument | HistogramInstrument>);
