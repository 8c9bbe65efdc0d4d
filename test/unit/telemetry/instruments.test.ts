import { describe, expect, it } from 'vitest';
import type { EventStream, MooringEventName, MooringEvents } from '../../../src/index.js';
import { feed, readGauges } from '../../../src/telemetry/feed.js';
import { gauges } from '../../../src/telemetry/gauges.js';
import { namesOf, otherValue, type Labels } from '../../../src/telemetry/instrument.js';
import { instruments, namedInstruments, openTelemetryName } from '../../../src/telemetry/instruments.js';
import { Harness, harness, remote, silent } from '../../core/support.js';
import { tallyOf } from '../../support/tally.js';

const ofKey = { userId: 'ada', threadId: 'thread_1', key: 'ada:thread_1' };
const byStrategy = tallyOf({ disconnected: 3, idle: 2, error: 1 });
const released = { closeCause: 'silent', generation: 1, idleMs: 1, silentMs: 1, limitMs: null, finding: null } as const;
const asked = { who: null, request: 'GET /api/v1/kpis', address: '10.0.0.1' } as const;
const refused = { code: 'quota.exceeded', retryAfterMs: null, ahead: 0, isHeard: true } as const;
const leak = { ...ofKey, admittedBy: [], releasedForMs: 60_000 };
const cleanup = { userId: 'ada', cleaned: 6, byStrategy, attempts: 3, remaining: 14 };

/** A measurement in a line: the name without `mooring_`, the labels' values, the number. */
function line(name: string, value: number, labels: Labels): string {
  return [name.replace('mooring_', ''), ...Object.values(labels), value].join(' ');
}

/** The lines of the counter that has a series for each strategy. */
const cleanedBy = (trigger: string): string[] =>
  Object.entries(byStrategy).map(([strategy, cleaned]) => `cleaned_total ${strategy} ${trigger} ${cleaned}`);

type Row<Name extends MooringEventName> = readonly [details: MooringEvents[Name], measured: readonly string[]];

/** What is measured of each event that feeds a metric, and of some that feed none. */
const rows: { readonly [Name in MooringEventName]?: readonly Row<Name>[] } = {
  'manager.admitted': [
    [{ ...ofKey, managerCount: 1, waitedMs: 0 }, ['admissions_total 1']],
    [{ ...ofKey, managerCount: 1, waitedMs: 1_500 }, ['admissions_total 1', 'admission_wait_seconds admitted 1.5']],
  ],
  'manager.released': [
    [
      { ...ofKey, ...released, reason: 'disconnected', by: 'heartbeat', ageMs: 75_000 },
      ['releases_total disconnected heartbeat 1', 'manager_age_seconds 75'],
    ],
    [
      { ...ofKey, ...released, reason: 'closed', by: null, ageMs: 500 },
      ['releases_total closed none 1', 'manager_age_seconds 0.5'],
    ],
  ],
  'connection.opened': [[{ ...ofKey, generation: 1 }, []]],
  'connection.replaced': [[{ ...ofKey, generation: 2 }, ['takeovers_total 1']]],
  'connection.left': [[{ ...ofKey, generation: 1, graceMs: 10_000 }, []]],
  'connection.resumed': [[{ ...ofKey, generation: 2, awayMs: 400 }, ['resumptions_total 1']]],
  'hold.expired': [[{ ...ofKey, maxMs: 3_600_000, heldMs: 3_600_000 }, ['lapsed_holds_total expired 1']]],
  'hold.forgotten': [[{ ...ofKey, holds: 2, idleMs: 600_000 }, ['lapsed_holds_total forgotten 2']]],
  'connection.answeredLate': [
    [{ ...ofKey, generation: 1, by: 'heartbeat' }, ['late_answers_total 1']],
    [{ ...ofKey, generation: 1, by: 'admission' }, ['suspects_heard_late_total 1']],
  ],
  'connection.neverAnswers': [[{ ...ofKey, generation: 1 }, ['never_answering_total 1']]],
  'heartbeat.missed': [[{ ...ofKey, generation: 1, misses: 2 }, ['heartbeat_misses_total 1']]],
  'admission.queued': [[{ ...ofKey, position: 1 }, ['queued_total 1']]],
  'admission.refused': [
    [{ ...ofKey, ...refused, closeCause: 'quota', waitedMs: 0 }, ['refusals_total quota 1']],
    [
      { ...ofKey, ...refused, closeCause: 'quota', waitedMs: 2_000 },
      ['refusals_total quota 1', 'admission_wait_seconds refused 2'],
    ],
  ],
  'admission.cancelled': [
    [{ ...ofKey, waitedMs: 250 }, ['cancellations_total 1', 'admission_wait_seconds cancelled 0.25']],
  ],
  'level.changed': [
    [
      {
        userId: 'ada',
        level: 'warning',
        previous: 'info',
        direction: 'rise',
        managerCount: 12,
        maxManagers: 20,
        usageRatio: 0.6,
      },
      ['level_changes_total warning rise 1'],
    ],
  ],
  'cleanup.completed': [
    [
      { ...cleanup, trigger: 'admission', timedOut: true, durationMs: 1_000 },
      ['cleanup_seconds admission 1', 'cleanup_timeouts_total admission 1', ...cleanedBy('admission')],
    ],
    [
      { ...cleanup, trigger: 'level', timedOut: false, durationMs: 0 },
      ['cleanup_seconds level 0', ...cleanedBy('level')],
    ],
  ],
  'cleanup.failed': [
    [{ userId: 'ada', trigger: 'background', error: 'Error: no' }, ['cleanup_failures_total background 1']],
  ],
  'background.completed': [
    [
      { cleaned: 6, users: 2, byStrategy, errors: 0, durationMs: 20 },
      [...cleanedBy('background'), 'background_cycle_seconds 0.02'],
    ],
  ],
  'hook.failed': [[{ ...ofKey, error: 'Error: no' }, ['hook_failures_total 1']]],
  'listener.failed': [[{ event: 'manager.admitted', error: 'Error: no' }, ['listener_failures_total 1']]],
  'idleTimeout.rejected': [[{ ...ofKey, got: 'NaN', used: null }, []]],
  'limit.rejected': [[{ userId: 'ada', got: 'NaN', used: 20 }, ['limit_failures_total 1']]],
  'claim.lost': [[{ ...ofKey }, ['lost_claims_total 1']]],
  'attempts.uncounted': [[{ reason: 'no address' }, []]],
  'keepalive.failed': [[{ error: 'Error: no' }, []]],
  'ledger.failed': [[{ userId: 'ada', error: 'Error: no' }, ['ledger_failures_total 1']]],
  'ledger.changed': [[{ state: 'down', previous: 'suspended', reason: 'Redis does not answer.', afterMs: 250 }, []]],
  'ledger.mismatch': [[{ ours: 20, theirs: 5 }, []]],
  'leak.found': [
    [{ ...leak, what: 'manager' }, ['leaks_found_total manager 1']],
    [{ ...leak, what: 'socket' }, ['leaks_found_total socket 1']],
  ],
  'leak.gone': [[{ ...leak, what: 'socket' }, ['leaks_gone_total socket 1']]],
  'process.stalled': [[{ stalledMs: 2_500 }, ['stalls_total 1', 'stalled_seconds_total 2.5']]],
  'authentication.failed': [[{ error: 'Error: no' }, ['authentication_failures_total 1']]],
  'socket.rejected': [[{ status: 503, reason: 'Service Unavailable' }, ['rejected_sockets_total 503 1']]],
  'socket.unmanaged': [[{ reason: 'its class is not ours' }, []]],
  'admin.acted': [
    [
      { who: 'ops', action: 'check', userId: 'ada', key: null, outcome: 'done', result: '1 of 20, normal' },
      ['admin_actions_total check done 1'],
    ],
    [
      { who: 'ops', action: 'cleanup (dry run)', userId: 'ada', key: null, outcome: 'failed', result: 'failed: no' },
      ['admin_actions_total cleanup (dry run) failed 1'],
    ],
  ],
  'admin.refused': [
    [{ status: 401, reason: 'No token.', ...asked, more: 0 }, ['admin_refusals_total 401 1']],
    [{ status: 401, reason: 'No token.', ...asked, more: 7 }, ['admin_refusals_total 401 8']],
  ],
  'admin.failed': [[{ route: 'GET /api/v1/users', error: 'Error: no' }, ['admin_failures_total 1']]],
  'viewer.missed': [[{ events: 12 }, ['viewer_events_missed_total 12']]],
  'viewer.dropped': [[{ watchedMs: 60_000 }, ['viewers_dropped_total 1']]],
  'server.draining': [[{ managers: 1 }, []]],
  'server.stopped': [[{ released: 1 }, []]],
};

const cases = Object.entries(rows).flatMap(([name, ofName]) =>
  ofName.map(([details, measured]) => [name as MooringEventName, details, measured] as const),
);

/** What is received of events that `say` makes up. */
function fed(say: (events: EventStream) => void): string[] {
  const { mooring } = new Harness({});
  const received: string[] = [];
  feed(mooring, (name, value, labels) => received.push(line(name, value, labels)));
  say(mooring.events);
  return received;
}

function read(h: Harness): string[] {
  const received: string[] = [];
  readGauges(h.mooring, (name, value, labels) => received.push(line(name, value, labels)));
  return received;
}

describe('the counters and histograms', () => {
  it.each(cases)('take from %s %o', (name, details, measured) => {
    const received = fed((events) => {
      events.emit(name, details);
    });
    expect(received.toSorted()).toEqual([...measured].toSorted());
  });

  it('are tried with each event that feeds them', () => {
    const feeding = namedInstruments.flatMap(([, each]) => (each.kind === 'gauge' ? [] : Object.keys(each.fedBy)));
    expect(feeding.filter((name) => !(name in rows))).toEqual([]);
  });

  it('are all fed by something', () => {
    const moved = new Set(cases.flatMap(([, , measured]) => measured.map((text) => `mooring_${text.split(' ')[0]!}`)));
    const countedNames = namedInstruments.filter(([, { kind }]) => kind !== 'gauge').map(([name]) => name);
    expect([...moved].toSorted()).toEqual(countedNames.toSorted());
  });

  it('take from what is not foreseen that it was something else', () => {
    const received = fed((events) => {
      for (let status = 400; status < 600; status++) events.emit('socket.rejected', { status, reason: '' });
      events.emit('admission.refused', { ...ofKey, ...refused, closeCause: 'toString' as 'quota', waitedMs: 0 });
    });
    expect(new Set(received)).toEqual(
      new Set([
        ...['403', '429', '503', otherValue].map((status) => `rejected_sockets_total ${status} 1`),
        `refusals_total ${otherValue} 1`,
      ]),
    );
  });

  it('hear nothing any longer once ended, and hear it twice where fed twice', async () => {
    const h = harness();
    const received: string[] = [];
    const receive = (name: string) => received.push(name);
    const ends = [feed(h.mooring, receive), feed(h.mooring, receive)];
    const client = await h.connect('ada', 'thread_1', remote);
    expect(received.filter((name) => name === 'mooring_admissions_total')).toHaveLength(2);
    for (const end of ends) end();
    const heard = received.length;
    client.transport.vanish();
    expect(received).toHaveLength(heard);
  });
});

/** What each gauge says of 22 managers of two users while a newcomer waits; a new one has to be given its row. */
const gaugeLines: { readonly [Name in keyof typeof gauges]: readonly string[] } = {
  mooring_managers: ['managers 22'],
  mooring_managers_limit: ['managers_limit 100'],
  mooring_users: ['users 2'],
  mooring_users_at_level: [
    ...['users_at_level normal 1', 'users_at_level info 0', 'users_at_level warning 0'],
    ...['users_at_level critical 0', 'users_at_level emergency 1'],
  ],
  mooring_waiting: ['waiting 1'],
  mooring_suspects: ['suspects 0'],
  mooring_unsent_bytes: ['unsent_bytes 0'],
  mooring_largest_unsent_bytes: ['largest_unsent_bytes 0'],
  mooring_closing: ['closing 0'],
  mooring_draining: ['draining 0'],
  mooring_ledger_state: [],
  mooring_journal_bytes: ['journal_bytes 0'],
  mooring_kpi_value: ['kpi_value alertFrequency ratio 0.5', 'kpi_value connectionSuccess ratio 1'],
  mooring_kpi_pass: ['kpi_pass alertFrequency under 5 % 0', 'kpi_pass connectionSuccess over 99 % 1'],
  mooring_kpi_samples: [
    ...['kpi_samples emergencyCleanupTime 0', 'kpi_samples backgroundEffectiveness 0', 'kpi_samples alertFrequency 2'],
    ...['kpi_samples accumulation 0', 'kpi_samples connectionSuccess 2', 'kpi_samples wrongRefusals 0'],
    'kpi_samples falseKills 0',
  ],
  mooring_kpi_window_seconds: ['kpi_window_seconds 1'],
};

describe('the gauges', () => {
  it('each say what is there', async () => {
    const h = harness({ config: { maxTotalManagers: 100 } });
    await h.fill('grace', 2, remote);
    await h.fill('ada', 20, remote);
    await h.time.advance(1_000);
    h.arrive('ada', 'thread_new', remote);
    const lines = read(h);
    const said = namesOf(gauges).map((name) => [
      name,
      lines.filter((text) => text.startsWith(`${name.replace('mooring_', '')} `)),
    ]);
    expect(Object.fromEntries(said)).toEqual(gaugeLines);
  });

  it('say what is left after a stop', async () => {
    const h = harness();
    await h.fill('ada', 20, remote);
    h.arrive('ada', 'thread_new', remote);
    await h.stop();
    expect(read(h)).toEqual(expect.arrayContaining(['managers 0', 'users 0', 'waiting 0', 'draining 1']));
  });

  it('say how many suspects there are, and what waited to be sent at the last heartbeats', async () => {
    const h = harness({ config: { maxManagersPerUser: 3 } });
    const clients = await h.fill('ada', 3, remote);
    expect(read(h)).toEqual(expect.arrayContaining(['suspects 0', 'unsent_bytes 0', 'largest_unsent_bytes 0']));
    clients[0]!.transport.unsentBytes = 1_000;
    clients[1]!.transport.unsentBytes = 50_000;
    clients[2]!.transport.fallSilent();
    await h.time.advance(26_000);
    const dry = h.mooring.previewEmergencyCleanup('ada');
    await h.time.advance(5_000);
    expect((await dry).chosen).toHaveLength(1);
    const said = ['suspects 1', 'unsent_bytes 51000', 'largest_unsent_bytes 50000'];
    expect(read(h)).toEqual(expect.arrayContaining(said));
  });

  it('say nothing of a limit there is not', () => {
    expect(read(harness()).filter((text) => text.startsWith('managers'))).toEqual(['managers 0']);
  });

  it('say how many bytes the journal takes', async () => {
    const h = harness({ config: { journalBytes: 100_000 } });
    await h.connect('ada', 'thread_1', remote);
    expect(h.mooring.journal.bytes).toBeGreaterThan(0);
    expect(read(h)).toContain(`journal_bytes ${h.mooring.journal.bytes}`);
  });

  it('say of success metrics without data how many samples there are: none', () => {
    const said = read(harness()).filter((text) => text.startsWith('kpi'));
    expect(said).toEqual([
      'kpi_samples emergencyCleanupTime 0',
      'kpi_samples backgroundEffectiveness 0',
      'kpi_samples alertFrequency 0',
      'kpi_samples accumulation 0',
      'kpi_samples connectionSuccess 0',
      'kpi_samples wrongRefusals 0',
      'kpi_samples falseKills 0',
      'kpi_window_seconds 0',
    ]);
  });

  it('say value, verdict and samples of a success metric, durations in seconds', async () => {
    const h = harness({ config: { maxManagersPerUser: 5 } });
    await h.fill('ada', 5, silent);
    await h.time.advance(5_000);
    h.arrive('ada', 'thread_new', remote);
    await h.time.advance(1_100);
    expect(read(h)).toEqual(
      expect.arrayContaining([
        'kpi_value emergencyCleanupTime seconds 1',
        'kpi_pass emergencyCleanupTime all under 10 s, p99 under 5 s 1',
        'kpi_samples emergencyCleanupTime 2',
        'kpi_value alertFrequency ratio 1',
        'kpi_pass alertFrequency under 5 % 0',
      ]),
    );
  });

  it('have only values of their sets', async () => {
    const h = harness({ config: { maxManagersPerUser: 2 } });
    await h.fill('ada', 2, remote);
    h.mooring.events.emit('connection.answeredLate', { ...ofKey, generation: 1, by: 'heartbeat' });
    expect(read(h).filter((text) => text.split(' ').includes(otherValue))).toEqual([]);
  });
});

describe('the table', () => {
  it.each(namedInstruments)('%s keeps the conventions', (name, { kind, unit, about, labels }) => {
    expect(name).toMatch(/^mooring_[a-z]+(_[a-z]+)*$/);
    expect(name.endsWith('_total')).toBe(kind === 'counter');
    expect(/_seconds(_total)?$/.test(name)).toBe(unit === 's');
    expect(/_bytes(_total)?$/.test(name)).toBe(unit === 'By');
    expect(about).toMatch(/^[A-Z].*[.…]$/);
    for (const label of Object.keys(labels)) expect(label).not.toMatch(/user|thread|key|^le$/i);
    for (const values of Object.values(labels)) {
      expect(new Set(values).size).toBe(values.length);
      expect(values.length).toBeLessThan(20);
      expect(values).not.toContain(otherValue);
    }
  });

  it('is frozen', () => {
    expect(Object.isFrozen(instruments)).toBe(true);
  });

  it.each(namedInstruments)(
    '%s has a name in OpenTelemetry of which a collector makes the same again',
    (name, each) => {
      const ending = `${{ s: '_seconds', By: '_bytes' }[each.unit as string] ?? ''}${each.kind === 'counter' ? '_total' : ''}`;
      const dotted = openTelemetryName(name, each);
      expect(dotted).toMatch(/^mooring\.[a-z_]+$/);
      expect(`${dotted.replaceAll('.', '_')}${ending}`).toBe(name);
    },
  );

  it('has names that people would look for', () => {
    const dotted = (name: keyof typeof instruments) => openTelemetryName(name, instruments[name]);
    expect(dotted('mooring_admissions_total')).toBe('mooring.admissions');
    expect(dotted('mooring_stalled_seconds_total')).toBe('mooring.stalled');
    expect(dotted('mooring_journal_bytes')).toBe('mooring.journal');
    expect(dotted('mooring_cleanup_seconds')).toBe('mooring.cleanup');
  });
});
