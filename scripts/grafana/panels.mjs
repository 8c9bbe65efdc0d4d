/**
 * The panels of the dashboard for Grafana, row by row. `npm run docs` makes `deploy/grafana/mooring.json` from them. A metric
 * that no query here names gets a panel of its own at the end.
 */

import { quantile } from './queries.mjs';

/**
 * @typedef {object} Panel
 * @property {number} id never changes in this table, since links have it
 * @property {'timeseries' | 'stat' | 'table'} [type] by default a line over time
 * @property {string} title
 * @property {string} about
 * @property {string} [unit] as Grafana calls it; a table has none
 * @property {number} [width] of 24; by default that of its row
 * @property {Readonly<Record<string, number>>} [thresholds] from which value on a number has which colour
 * @property {number} [decimals]
 * @property {boolean} [isStacked]
 * @property {string} [axis]
 * @property {boolean} [canBeNegative]
 * @property {readonly (readonly [legend: string, query: string])[]} queries as in `queries.mjs`
 */

/**
 * @typedef {object} Row
 * @property {number} id
 * @property {string} title
 * @property {number} [height] of its panels; 8 by default
 * @property {number} [width] of its panels; 8 by default
 * @property {readonly Panel[]} panels
 */

/** @type {readonly Row[]} */
export const rows = [
  {
    id: 1,
    title: 'Now',
    height: 4,
    width: 4,
    panels: [
      {
        id: 2,
        type: 'stat',
        title: 'Managers',
        about: 'Managers of all users, reserved slots included.',
        unit: 'short',
        queries: [['Managers', 'sum(mooring_managers{@})']],
      },
      {
        id: 3,
        type: 'stat',
        title: 'Users',
        about: 'Users that hold a manager.',
        unit: 'short',
        queries: [['Users', 'sum(mooring_users{@})']],
      },
      {
        id: 4,
        type: 'stat',
        title: 'Waiting',
        about: 'Newcomers that wait for a slot.',
        unit: 'short',
        thresholds: { orange: 1 },
        queries: [['Waiting', 'sum(mooring_waiting{@})']],
      },
      {
        id: 5,
        type: 'stat',
        title: 'At emergency',
        about: 'Users at 90 % of their limit or more.',
        unit: 'short',
        thresholds: { orange: 1 },
        queries: [['At emergency', 'sum(mooring_users_at_level{@, level="emergency"})']],
      },
      {
        id: 6,
        type: 'stat',
        title: 'Fullest server',
        about: 'Managers of the fullest server, as a part of maxTotalManagers.',
        unit: 'percentunit',
        thresholds: { orange: 0.8, red: 1 },
        decimals: 0,
        queries: [['Fullest server', 'max(mooring_managers{@} / mooring_managers_limit{@})']],
      },
      {
        id: 7,
        type: 'stat',
        title: 'Draining',
        about: 'Servers that are stopping.',
        unit: 'short',
        thresholds: { orange: 1 },
        queries: [['Draining', 'sum(mooring_draining{@})']],
      },
    ],
  },
  {
    id: 8,
    title: 'Success metrics',
    height: 9,
    width: 6,
    panels: [
      {
        id: 9,
        type: 'table',
        title: 'Verdicts',
        about: 'Per server: value, target and verdict of each success metric.',
        width: 12,
        queries: [
          ['', 'max by (instance, kpi, unit) (mooring_kpi_value{@})'],
          ['', 'min by (instance, kpi, target) (mooring_kpi_pass{@})'],
          ['', 'max by (instance, kpi) (mooring_kpi_samples{@})'],
        ],
      },
      {
        id: 10,
        title: 'Verdicts over time',
        about: '1 where the target is met, 0 where it is not; the worst server of each.',
        unit: 'short',
        axis: '1 pass, 0 fail',
        queries: [['{{kpi}}', 'min by (kpi) (mooring_kpi_pass{@})']],
      },
      {
        id: 11,
        title: 'Window',
        about: 'What time the success metrics are about: since the start, at most kpiWindow: a day unless set.',
        unit: 's',
        queries: [['{{instance}}', 'mooring_kpi_window_seconds{@}']],
      },
    ],
  },
  {
    id: 12,
    title: 'Admission',
    panels: [
      {
        id: 13,
        title: 'Managers and users',
        about: 'Against the limit of the servers together, where there is one.',
        unit: 'short',
        queries: [
          ['managers', 'sum(mooring_managers{@})'],
          ['users', 'sum(mooring_users{@})'],
          ['limit', 'sum(mooring_managers_limit{@})'],
        ],
      },
      {
        id: 14,
        title: 'Arrivals',
        about: 'How newcomers fared, per second.',
        unit: 'cps',
        queries: [
          ['admitted', 'sum(rate(mooring_admissions_total{@}[~]))'],
          ['took over', 'sum(rate(mooring_takeovers_total{@}[~]))'],
          ['had to wait', 'sum(rate(mooring_queued_total{@}[~]))'],
          ['refused', 'sum(rate(mooring_refusals_total{@}[~]))'],
          ['gave up', 'sum(rate(mooring_cancellations_total{@}[~]))'],
          ['came back', 'sum(rate(mooring_resumptions_total{@}[~]))'],
        ],
      },
      {
        id: 15,
        title: 'Refusals by cause',
        about: 'Per second.',
        unit: 'cps',
        isStacked: true,
        queries: [['{{cause}}', 'sum by (cause) (rate(mooring_refusals_total{@}[~])) > 0']],
      },
      {
        id: 16,
        title: 'Waits',
        about: 'Of newcomers that had to wait, by how it ended.',
        unit: 's',
        queries: [
          ['half, {{outcome}}', quantile(0.5, 'mooring_admission_wait_seconds_bucket{@}', ['outcome'])],
          ['99 %, {{outcome}}', quantile(0.99, 'mooring_admission_wait_seconds_bucket{@}', ['outcome'])],
        ],
      },
      {
        id: 17,
        title: 'Waiting and closing now',
        about: 'Newcomers that wait for a slot, and sockets in a closing handshake.',
        unit: 'short',
        queries: [
          ['{{instance}} waiting', 'mooring_waiting{@}'],
          ['{{instance}} closing', 'mooring_closing{@}'],
        ],
      },
      {
        id: 18,
        title: 'Turned away before authentication',
        about: 'Sockets per second, by HTTP status.',
        unit: 'cps',
        queries: [['{{status}}', 'sum by (status) (rate(mooring_rejected_sockets_total{@}[~]))']],
      },
    ],
  },
  {
    id: 19,
    title: 'Pressure',
    width: 12,
    panels: [
      {
        id: 20,
        title: 'Users by alert level',
        about: 'Those above normal.',
        unit: 'short',
        isStacked: true,
        queries: [['{{level}}', 'sum by (level) (mooring_users_at_level{@, level!="normal"})']],
      },
      {
        id: 21,
        title: 'Changes of level',
        about: 'Per second, by the level reached.',
        unit: 'cps',
        queries: [
          ['{{direction}} to {{level}}', 'sum by (level, direction) (rate(mooring_level_changes_total{@}[~])) > 0'],
        ],
      },
    ],
  },
  {
    id: 22,
    title: 'Release and cleanup',
    panels: [
      {
        id: 23,
        title: 'Releases by reason',
        about: 'Per second.',
        unit: 'cps',
        isStacked: true,
        queries: [['{{reason}}', 'sum by (reason) (rate(mooring_releases_total{@}[~])) > 0']],
      },
      {
        id: 24,
        title: 'Releases by who found them',
        about: 'Per second; none: its own socket, or whoever asked.',
        unit: 'cps',
        isStacked: true,
        queries: [['{{by}}', 'sum by (by) (rate(mooring_releases_total{@}[~])) > 0']],
      },
      {
        id: 25,
        title: 'Age at release',
        about: 'Of managers.',
        unit: 's',
        queries: [
          ['half', quantile(0.5, 'mooring_manager_age_seconds_bucket{@}')],
          ['95 %', quantile(0.95, 'mooring_manager_age_seconds_bucket{@}')],
        ],
      },
      {
        id: 26,
        title: 'Cleaned by strategy',
        about: 'Managers released by cleanups, per second.',
        unit: 'cps',
        isStacked: true,
        queries: [['{{strategy}}', 'sum by (strategy) (rate(mooring_cleaned_total{@}[~])) > 0']],
      },
      {
        id: 27,
        title: 'Cleaned by trigger',
        about: 'Managers released by cleanups, per second.',
        unit: 'cps',
        isStacked: true,
        queries: [['{{trigger}}', 'sum by (trigger) (rate(mooring_cleaned_total{@}[~])) > 0']],
      },
      {
        id: 28,
        title: 'Cleanups of one user',
        about: 'How many, per second.',
        unit: 'cps',
        queries: [['{{trigger}}', 'sum by (trigger) (rate(mooring_cleanup_seconds_count{@}[~]))']],
      },
      {
        id: 29,
        title: 'Emergency cleanups',
        about: 'How long they took: for newcomers, and on request.',
        unit: 's',
        queries: [
          [
            'half, {{trigger}}',
            quantile(0.5, 'mooring_cleanup_seconds_bucket{@, trigger=~"admission|request"}', ['trigger']),
          ],
          [
            '99 %, {{trigger}}',
            quantile(0.99, 'mooring_cleanup_seconds_bucket{@, trigger=~"admission|request"}', ['trigger']),
          ],
        ],
      },
      {
        id: 30,
        title: 'Background cycles',
        about: 'How long they took.',
        unit: 's',
        queries: [
          ['half', quantile(0.5, 'mooring_background_cycle_seconds_bucket{@}')],
          ['99 %', quantile(0.99, 'mooring_background_cycle_seconds_bucket{@}')],
        ],
      },
      {
        id: 31,
        title: 'Cleanups in trouble',
        about: 'Timed out, or a pass of theirs threw; per second.',
        unit: 'cps',
        queries: [
          ['timed out, {{trigger}}', 'sum by (trigger) (rate(mooring_cleanup_timeouts_total{@}[~]))'],
          ['threw, {{trigger}}', 'sum by (trigger) (rate(mooring_cleanup_failures_total{@}[~]))'],
        ],
      },
    ],
  },
  {
    id: 32,
    title: 'Liveness',
    panels: [
      {
        id: 33,
        title: 'Heartbeat misses',
        about: 'Pings found unanswered, per second.',
        unit: 'cps',
        queries: [['{{instance}}', 'sum by (instance) (rate(mooring_heartbeat_misses_total{@}[~]))']],
      },
      {
        id: 34,
        title: 'Late answers',
        about:
          'False kills: released as dead, and not dead. Beside them, without a verdict: suspects whose place went to a newcomer and that were heard of a moment later, and clients that answer no ping.',
        unit: 'short',
        queries: [
          ['false kills, {{instance}}', 'sum by (instance) (increase(mooring_late_answers_total{@}[1h]))'],
          [
            'suspects heard late, {{instance}}',
            'sum by (instance) (increase(mooring_suspects_heard_late_total{@}[1h]))',
          ],
          [
            'clients that answer no ping, {{instance}}',
            'sum by (instance) (increase(mooring_never_answering_total{@}[1h]))',
          ],
        ],
      },
      {
        id: 35,
        title: 'Stalls',
        about: 'The part of the time in which the process did not run.',
        unit: 'percentunit',
        queries: [['{{instance}}', 'rate(mooring_stalled_seconds_total{@}[~])']],
      },
      {
        id: 36,
        title: 'Stalls, how many',
        about: 'Within an hour.',
        unit: 'short',
        queries: [['{{instance}}', 'increase(mooring_stalls_total{@}[1h])']],
      },
      {
        id: 45,
        title: 'Suspects',
        about:
          'Connections that left our pings unanswered for 3 s. Each gives its place to a newcomer of its user, else the heartbeat ends it.',
        unit: 'short',
        queries: [['{{instance}}', 'sum by (instance) (mooring_suspects{@})']],
      },
      {
        id: 46,
        title: 'Unsent bytes',
        about:
          'What waited to be sent when the heartbeat last visited each connection: of all, and of the one with most.',
        unit: 'bytes',
        queries: [
          ['all, {{instance}}', 'sum by (instance) (mooring_unsent_bytes{@})'],
          ['largest, {{instance}}', 'max by (instance) (mooring_largest_unsent_bytes{@})'],
        ],
      },
    ],
  },
  {
    id: 37,
    title: 'Health',
    panels: [
      {
        id: 38,
        title: 'Failures',
        about: 'Of what the application brings, per second.',
        unit: 'cps',
        queries: [
          ['release hooks', 'sum(rate(mooring_hook_failures_total{@}[~]))'],
          ['listeners', 'sum(rate(mooring_listener_failures_total{@}[~]))'],
          ['limits', 'sum(rate(mooring_limit_failures_total{@}[~]))'],
          ['quota ledger', 'sum(rate(mooring_ledger_failures_total{@}[~]))'],
          ['authentication', 'sum(rate(mooring_authentication_failures_total{@}[~]))'],
          ['lost claims', 'sum(rate(mooring_lost_claims_total{@}[~]))'],
          ['holds {{how}}', 'sum by (how) (rate(mooring_lapsed_holds_total{@}[~]))'],
        ],
      },
      {
        id: 39,
        title: 'Leaks',
        about: 'Found and not gone, with leakDetection.',
        unit: 'short',
        canBeNegative: true,
        queries: [
          [
            '{{instance}}, {{what}}',
            'sum by (instance, what) (mooring_leaks_found_total{@} - mooring_leaks_gone_total{@})',
          ],
        ],
      },
      {
        id: 40,
        title: 'Journal',
        about: 'What the journal of decisions takes.',
        unit: 'bytes',
        queries: [['{{instance}}', 'mooring_journal_bytes{@}']],
      },
      {
        id: 47,
        title: 'Shared quota',
        about:
          'The state of the shared quota: 1 for the one that each server has. Empty without one. While it is down, each server counts for itself.',
        unit: 'short',
        queries: [['{{instance}} {{state}}', 'mooring_ledger_state{@}']],
      },
    ],
  },
  {
    id: 41,
    title: 'Admin API',
    panels: [
      {
        id: 42,
        title: 'Actions by hand',
        about: 'What was done over the admin API, per second, and how it ended.',
        unit: 'cps',
        queries: [['{{action}}, {{outcome}}', 'sum by (action, outcome) (rate(mooring_admin_actions_total{@}[~]))']],
      },
      {
        id: 43,
        title: 'Turned away by the admin API',
        about: 'By HTTP status, per second, and requests it failed at by itself.',
        unit: 'cps',
        queries: [
          ['{{status}}', 'sum by (status) (rate(mooring_admin_refusals_total{@}[~]))'],
          ['failed by itself', 'sum(rate(mooring_admin_failures_total{@}[~]))'],
        ],
      },
      {
        id: 44,
        title: 'Viewers too slow',
        about: 'Of the event stream, per second: events they lost, and viewers that were dropped.',
        unit: 'cps',
        queries: [
          ['events missed', 'sum(rate(mooring_viewer_events_missed_total{@}[~]))'],
          ['viewers dropped', 'sum(rate(mooring_viewers_dropped_total{@}[~]))'],
        ],
      },
    ],
  },
];
