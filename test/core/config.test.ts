import { describe, expect, it } from 'vitest';
import { getCleanupConfig, loadConfig, type ConfigSources } from '../../src/config/load-config.js';
import { evictionFloorMs, levelFloorMs, unadmittedLimit } from '../../src/core/bounds.js';
import { ConfigurationError } from '../../src/core/errors.js';
import { presets } from '../../src/core/presets.js';
import { settingNames } from '../../src/core/settings.js';

/** What is wrong with a configuration. */
function problemsOf(given: ConfigSources): readonly string[] {
  try {
    loadConfig(given);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

const warningsOf = (env: Record<string, string>): readonly string[] => loadConfig({ env }).warnings;

describe('the preset', () => {
  it.each([
    ['production', 20, 10_000, 60_000, 0.6, 600_000],
    ['staging', 20, 5_000, 30_000, 0.5, 300_000],
    ['development', 20, 2_000, 15_000, 0.4, 120_000],
    ['test', 20, 2_000, 15_000, 0.4, 120_000],
  ])('of %s is %i managers, %i, %i, %d, %i', (environment, managers, emergency, background, proactive, idle) => {
    const { config } = loadConfig({ environment });
    expect(config).toMatchObject({
      maxManagersPerUser: managers,
      emergencyCleanupTimeoutMs: emergency,
      backgroundCleanupIntervalMs: background,
      proactiveCleanupThreshold: proactive,
      idleManagerTimeoutMs: idle,
    });
  });

  it.each(Object.keys(presets))('of %s gives every setting a value', (environment) => {
    const { config, sources } = loadConfig({ environment });
    for (const name of settingNames) expect(config[name], name).not.toBeUndefined();
    expect(new Set(Object.values(sources))).toEqual(new Set(['preset']));
  });

  it('of production gives a floor of 60 s, and one of 180 s for what levels evict', () => {
    const { config } = loadConfig({ environment: 'production' });
    expect(evictionFloorMs(config)).toBe(60_000);
    expect(levelFloorMs(config)).toBe(180_000);
  });
});

describe('getCleanupConfig', () => {
  it.each([
    ['production', { emergencyTimeout: 10, backgroundInterval: 60, proactiveThreshold: 0.6, idleTimeout: 600 }],
    ['staging', { emergencyTimeout: 5, backgroundInterval: 30, proactiveThreshold: 0.5, idleTimeout: 300 }],
    ['development', { emergencyTimeout: 2, backgroundInterval: 15, proactiveThreshold: 0.4, idleTimeout: 120 }],
    ['test', { emergencyTimeout: 2, backgroundInterval: 15, proactiveThreshold: 0.4, idleTimeout: 120 }],
  ])("gives the seed's numbers for %s, in seconds", (environment, numbers) => {
    const { config } = loadConfig({ environment });
    expect(getCleanupConfig(config)).toEqual({ ...numbers, maxManagers: 20 });
  });

  it('gives what was configured', () => {
    const { config } = loadConfig({ overrides: { idleManagerTimeoutMs: 90_500, maxManagersPerUser: 3 } });
    expect(getCleanupConfig(config)).toMatchObject({ idleTimeout: 90.5, maxManagers: 3 });
  });

  it('gives null for an idle timeout that is off', () => {
    const { config } = loadConfig({ env: { MOORING_IDLE_MANAGER_TIMEOUT: 'off' } });
    expect(getCleanupConfig(config).idleTimeout).toBeNull();
    expect([evictionFloorMs(config), levelFloorMs(config)]).toEqual([60_000, 180_000]);
  });
});

describe('the environment', () => {
  it.each([
    ['nothing', {}, 'development'],
    ['NODE_ENV', { NODE_ENV: 'production' }, 'production'],
    ['NODE_ENV=test', { NODE_ENV: 'test' }, 'test'],
    ['NETRA_ENV before NODE_ENV', { NETRA_ENV: 'staging', NODE_ENV: 'production' }, 'staging'],
    ['MOORING_ENV before all', { MOORING_ENV: 'test', NETRA_ENV: 'staging', NODE_ENV: 'production' }, 'test'],
    ['an empty MOORING_ENV', { MOORING_ENV: '', NETRA_ENV: 'staging' }, 'staging'],
    ['an empty NETRA_ENV', { NETRA_ENV: '', NODE_ENV: 'production' }, 'production'],
    ['an empty NODE_ENV', { NODE_ENV: '' }, 'development'],
  ])('by %s', (_, env, environment) => {
    expect(loadConfig({ env })).toMatchObject({ environment, warnings: [] });
  });

  it('named in code wins over variables', () => {
    expect(loadConfig({ environment: 'staging', env: { MOORING_ENV: 'production' } }).environment).toBe('staging');
  });

  it.each([
    [{ env: { MOORING_ENV: 'prod' } }, 'MOORING_ENV', 'prod'],
    [{ env: { NETRA_ENV: 'prodction' } }, 'NETRA_ENV', 'prodction'],
    [{ env: { NETRA_ENV: 'PRODUCTION' } }, 'NETRA_ENV', 'PRODUCTION'],
    [{ env: { NETRA_ENV: 'toString' } }, 'NETRA_ENV', 'toString'],
    [{ environment: 'live' }, 'environment', 'live'],
  ])('unknown in %j fails: a typo in production must not loosen it', (given: ConfigSources, label, got) => {
    const [problem, ...others] = problemsOf(given);
    expect(problem).toMatch(new RegExp(`^${label}: got "${got}", wanted one of production, staging`));
    expect(others).toEqual([]);
  });

  it('unknown in NODE_ENV means development, and is said', () => {
    const loaded = loadConfig({ env: { NODE_ENV: 'qa' } });
    expect(loaded.environment).toBe('development');
    expect(loaded.warnings).toEqual([expect.stringMatching(/NODE_ENV.*"qa".*development/)]);
  });
});

describe('precedence', () => {
  const env = { MOORING_IDLE_MANAGER_TIMEOUT: '2m' };
  const file = { idleManagerTimeout: '1m' };
  const machine = { idleManagerTimeoutMs: 30_000 };
  const overrides = { idleManagerTimeoutMs: 180_000 };
  const flags = [['idleManagerTimeout', '4m']] as const;

  it.each([
    ['preset', {}, 600_000],
    ['machine', { machine }, 30_000],
    ['demo', { machine, demo: { idleManagerTimeoutMs: 40_000 } }, 40_000],
    ['file', { machine, demo: { idleManagerTimeoutMs: 40_000 }, file }, 60_000],
    ['environment', { file, env }, 120_000],
    ['code', { file, env, overrides }, 180_000],
    ['flag', { file, env, overrides, flags }, 240_000],
    ['flag', { file, flags }, 240_000],
    ['code', { file, overrides }, 180_000],
  ])('the strongest is %s of %j', (source, given: ConfigSources, valueMs) => {
    const { config, sources } = loadConfig({ ...given, environment: 'production' });
    expect(config.idleManagerTimeoutMs).toBe(valueMs);
    expect(sources.idleManagerTimeoutMs).toBe(source);
  });

  it('the last of two flags counts', () => {
    const twice = [...flags, ['idleManagerTimeout', '5m']] as const;
    expect(loadConfig({ flags: twice }).config.idleManagerTimeoutMs).toBe(300_000);
  });

  it('one override never resets the others', () => {
    const { config } = loadConfig({
      environment: 'production',
      file: { probeTimeout: '250ms' },
      env: { MOORING_MAX_MANAGERS_PER_USER: '7' },
      overrides: { ticketMs: 3_000 },
      flags: [['heartbeatInterval', '10s']],
    });
    expect(config).toEqual({
      ...loadConfig({ environment: 'production' }).config,
      probeTimeoutMs: 250,
      maxManagersPerUser: 7,
      ticketMs: 3_000,
      heartbeatIntervalMs: 10_000,
    });
  });

  it('what is given as undefined is not given', () => {
    const given = {
      overrides: { ticketMs: undefined },
      env: { MOORING_TICKET: undefined },
    } as unknown as ConfigSources;
    expect(loadConfig(given).config.ticketMs).toBe(10_000);
  });

  it('the result cannot be changed', () => {
    expect(Object.isFrozen(loadConfig().config)).toBe(true);
  });
});

describe('a bare number for a duration', () => {
  it('is milliseconds in code', () => {
    expect(loadConfig({ overrides: { ticketMs: 500 } }).config.ticketMs).toBe(500);
  });

  it.each([
    ['a variable', { env: { MOORING_TICKET: '120' } }, 'MOORING_TICKET'],
    ['a flag', { flags: [['ticket', '120']] }, 'ticket'],
    ['a file', { file: { ticket: 120 } }, 'ticket'],
    ['text in a file', { file: { ticket: '120' } }, 'ticket'],
  ] as [string, ConfigSources, string][])('is a mistake in %s', (_, given, label) => {
    expect(problemsOf(given)).toEqual([expect.stringMatching(new RegExp(`^${label}: got "?120"?, wanted a duration`))]);
  });

  it('in code cannot be text', () => {
    const overrides = { ticketMs: '10s' } as unknown as ConfigSources['overrides'];
    expect(problemsOf({ overrides })).toEqual([expect.stringMatching(/^ticketMs: got "10s"/)]);
  });

  it('named as in code is pointed to its name outside', () => {
    const [problem] = problemsOf({ file: { ticketMs: '10s' } });
    expect(problem).toMatch(/^ticketMs: there is no such setting; outside code it is written ticket/);
  });
});

describe('mistakes', () => {
  it('are reported all at once, each with what was got and wanted', () => {
    const problems = problemsOf({
      env: { MOORING_ENV: 'prod', MOORING_TICKET: '5', MOORING_MAX_MANAGERS_PER_USER: '-3' },
      file: { closeGrase: '1s' },
      overrides: { patienceRatio: 2 },
      flags: [['forcedEviction', 'always']],
    });
    expect(problems).toEqual([
      expect.stringMatching(/^MOORING_ENV: got "prod", wanted/),
      expect.stringMatching(/^closeGrase: there is no such setting; did you mean closeGrace\?/),
      expect.stringMatching(/^MOORING_TICKET: got "5", wanted/),
      expect.stringMatching(/^MOORING_MAX_MANAGERS_PER_USER: got "-3", wanted/),
      expect.stringMatching(/^patienceRatio: got 2; /),
      expect.stringMatching(/^forcedEviction: got "always"; /),
    ]);
  });

  it.each([
    [
      'a setting that is none',
      { overrides: { tiketMs: 5 } },
      'tiketMs: there is no such setting; did you mean ticketMs?',
    ],
    ['nothing', { file: { maxManagersPerUser: undefined } }, /^maxManagersPerUser: got nothing; [A-Z]/],
    ['a number that is none', { overrides: { patienceRatio: NaN } }, /^patienceRatio: got NaN; [A-Z]/],
    ['a choice that is none', { overrides: { forcedEviction: 'always' } }, /^forcedEviction: got "always"; [A-Z]/],
    [
      'two mistakes in a table',
      { overrides: { closeCodes: { idle: 1, quota: 2 } } },
      /^closeCodes: got \{"idle":1,"quota":2\}; idle: [^;]+; quota: [^;]+$/,
    ],
    [
      'a floor above patience',
      { overrides: { evictionFloorRatio: 0.5, patienceRatio: 0.3 } },
      /^evictionFloorRatio: got 0\.5, wanted at most patienceRatio \(0\.3\)/,
    ],
    [
      'thresholds that do not rise',
      { overrides: { proactiveCleanupThreshold: 0.7, criticalThreshold: 0.6, emergencyThreshold: 0.9 } },
      /got 0\.7, 0\.6, 0\.9; wanted them in rising order$/,
    ],
  ] as unknown as [string, ConfigSources, string | RegExp][])('say where they are, for %s', (_, given, problem) => {
    expect(problemsOf(given)).toEqual([typeof problem === 'string' ? problem : expect.stringMatching(problem)]);
  });

  it('of one setting hide contradictions between settings', () => {
    const overrides = { evictionFloorRatio: 0.5, patienceRatio: 0.3, maxManagersPerUser: -1 };
    expect(problemsOf({ overrides })).toEqual([expect.stringMatching(/^maxManagersPerUser: /)]);
  });

  it.each([
    ['xxxticket', true],
    ['xxxxticket', false],
    ['ticketxxx', true],
    ['ticketxxxx', false],
    ['tixckxetx', true],
    ['tixckxxetx', false],
    ['cket', true],
    ['ket', true],
    ['et', false],
    ['tic', true],
    ['ti', false],
    ['zzzket', true],
    ['zzzzet', false],
    ['TICKETX', true],
  ])('suggest a setting at most three edits away, case apart: %s %s', (name, isSuggested) => {
    const [problem] = problemsOf({ file: { [name]: '1s' } });
    expect(problem).toBe(`${name}: there is no such setting${isSuggested ? '; did you mean ticket?' : ''}`);
  });

  it.each([
    ['minSilenceMs', 0.6, 6_000],
    ['backlogExcuseMs', 0.8, 8_000],
  ] as const)('include a %s above %d of the emergency timeout', (name, share, mostMs) => {
    expect(problemsOf({ environment: 'production', overrides: { [name]: mostMs } })).toEqual([]);
    expect(problemsOf({ environment: 'production', overrides: { [name]: mostMs + 1 } })).toEqual([
      `${name}: got ${String(mostMs + 1)}, wanted at most ${String(100 * share)} % of emergencyCleanupTimeoutMs (10000): it must be over before the cleanup is`,
    ]);
  });

  it('are all in the message', () => {
    const error = new ConfigurationError(['one: wrong', 'two: wrong']);
    expect(error.message).toBe('The configuration has 2 mistakes:\n  - one: wrong\n  - two: wrong');
    expect(error.code).toBe('config.invalid');
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('include a setting called %s', (name) => {
    expect(problemsOf({ flags: [[name, '1']] })).toEqual([expect.stringContaining('no such setting')]);
  });

  it.each([
    [250, 1_000, 0],
    [251, 1_000, 1],
    [2_500, 10_000, 0],
    [2_501, 10_000, 1],
  ])(
    'include two probes of %i ms that do not fit into half of %i ms: %i',
    (probeTimeoutMs, emergencyCleanupTimeoutMs, count) => {
      const problems = problemsOf({ overrides: { probeTimeoutMs, emergencyCleanupTimeoutMs } });
      expect(problems).toHaveLength(count);
      for (const problem of problems) expect(problem).toMatch(/^probeTimeoutMs: /);
    },
  );

  it.each([
    [0.3, 0.3, 0],
    [0.301, 0.3, 1],
    [1, 1, 0],
  ])('include a floor of %d above a patience of %d: %i', (evictionFloorRatio, patienceRatio, count) => {
    expect(problemsOf({ overrides: { evictionFloorRatio, patienceRatio } })).toHaveLength(count);
  });

  it.each([
    [{ proactiveCleanupThreshold: 0.8 }, 0],
    [{ proactiveCleanupThreshold: 0.81 }, 1],
    [{ criticalThreshold: 0.9 }, 0],
    [{ criticalThreshold: 0.91 }, 1],
    [{ emergencyThreshold: 0.8 }, 0],
    [{ emergencyThreshold: 0.79 }, 1],
  ])('include thresholds that do not rise: %j: %i', (overrides, count) => {
    expect(problemsOf({ overrides })).toHaveLength(count);
  });
});

describe('environment variables', () => {
  it('that name no setting are warned of, with the likely one', () => {
    expect(warningsOf({ MOORING_IDLE_MANAGER_TIMOUT: '10m' })).toEqual([
      expect.stringMatching(/^MOORING_IDLE_MANAGER_TIMOUT .*did you mean MOORING_IDLE_MANAGER_TIMEOUT\?/),
    ]);
  });

  it('of others are none of our business', () => {
    expect(warningsOf({ PATH: '/bin', MOORINGS: '1', mooring_ticket: '1s' })).toEqual([]);
  });

  it.each([
    ['MOORING_PORT', 'tcp://10.0.0.1:80'],
    ['MOORING_PORT', 'udp://[fd00::1]:80'],
    ['MOORING_SERVICE_HOST', '10.0.0.1'],
    ['MOORING_SERVICE_PORT', '80'],
    ['MOORING_SERVICE_PORT_HTTP', '80'],
    ['MOORING_PORT_80_TCP', 'tcp://10.0.0.1:80'],
    ['MOORING_PORT_80_TCP_PROTO', 'tcp'],
    ['MOORING_PORT_80_TCP_PORT', '80'],
    ['MOORING_PORT_80_TCP_ADDR', '10.0.0.1'],
  ])('that Kubernetes injects are ignored: %s=%s', (variable, value) => {
    expect(warningsOf({ [variable]: value })).toEqual([]);
  });

  it('that only look so are warned of', () => {
    expect(warningsOf({ MOORING_PORT: '8080' })).toHaveLength(1);
  });

  const elsewhere = ['ENV', 'ADMIN_URL', 'ADMIN_TOKEN', 'ADMIN_READ_TOKEN', 'ADMIN_ACT_TOKEN'];
  it.each(elsewhere.map((name) => `MOORING_${name}`))('that other parts read are known: %s', (variable) => {
    expect(warningsOf({ [variable]: variable === 'MOORING_ENV' ? 'test' : 'x' })).toEqual([]);
  });

  it('set every kind of setting', () => {
    const { config } = loadConfig({
      env: {
        MOORING_MAX_TOTAL_MANAGERS: '5000',
        MOORING_MAX_UNADMITTED_SOCKETS: 'none',
        MOORING_PATIENCE_RATIO: '0.5',
        MOORING_FORCED_EVICTION: 'by-level',
        MOORING_RECOGNISE_KEEPALIVES: 'false',
        MOORING_CLOSE_CODES: '{"idle":4000}',
      },
    });
    expect(config).toMatchObject({
      maxTotalManagers: 5_000,
      maxUnadmittedSockets: null,
      patienceRatio: 0.5,
      forcedEviction: 'by-level',
      recogniseKeepalives: false,
      closeCodes: { idle: 4000 },
    });
  });
});

describe('sockets that are not admitted yet', () => {
  it.each([
    [null, null, Infinity],
    [null, 100, 100],
    [null, 1_000, 100],
    [null, 1_009, 100],
    [null, 1_010, 101],
    [null, 50_000, 5_000],
    [7, 50_000, 7],
    [7, null, 7],
  ])('may be, with a cap of %j and %j managers in all, %d', (maxUnadmittedSockets, maxTotalManagers, limit) => {
    const { config } = loadConfig({ overrides: { maxUnadmittedSockets, maxTotalManagers } });
    expect(unadmittedLimit(config)).toBe(limit);
  });
});

describe('settings that follow the emergency timeout', () => {
  it.each([
    ['production', 3_000, 8_000],
    ['staging', 3_000, 4_000],
    ['development', 1_200, 1_600],
  ] as const)('%s: minSilence %d ms, backlogExcuse %d ms', (environment, minSilenceMs, backlogExcuseMs) => {
    expect(loadConfig({ environment }).config).toMatchObject({ minSilenceMs, backlogExcuseMs });
  });

  it('keep what was given', () => {
    const overrides = { minSilenceMs: 700, emergencyCleanupTimeoutMs: 4_000 };
    expect(loadConfig({ environment: 'production', overrides }).config).toMatchObject({
      minSilenceMs: 700,
      backlogExcuseMs: 3_200,
    });
  });
});

describe('a former name of a setting', () => {
  it.each([
    [
      { overrides: { stalledMs: 5_000 } },
      'stalledMs is called slowConsumerTimeoutMs now; the old name goes on working',
    ],
    [{ file: { stalled: '5s' } }, 'stalled is called slowConsumerTimeout now; the old name goes on working'],
    [
      { flags: [['stalled', '5s']] as const },
      'stalled is called slowConsumerTimeout now; the old name goes on working',
    ],
    [
      { env: { MOORING_STALLED: '5s' } },
      'MOORING_STALLED is called MOORING_SLOW_CONSUMER_TIMEOUT now; the old name goes on working',
    ],
  ])('goes on working, and is told: %j', (sources, warning) => {
    const { config, warnings } = loadConfig(sources);
    expect(config.slowConsumerTimeoutMs).toBe(5_000);
    expect(warnings).toEqual([warning]);
  });

  it.each([[{ stalledMs: 5_000, slowConsumerTimeoutMs: 7_000 }], [{ slowConsumerTimeoutMs: 7_000, stalledMs: 5_000 }]])(
    'gives way to the present one of the same source: %j',
    (overrides) => {
      expect(loadConfig({ overrides }).config.slowConsumerTimeoutMs).toBe(7_000);
    },
  );

  it('wins over the present one of a weaker source', () => {
    const sources = { env: { MOORING_SLOW_CONSUMER_TIMEOUT: '9s' }, overrides: { stalledMs: 5_000 } };
    expect(loadConfig(sources).config.slowConsumerTimeoutMs).toBe(5_000);
  });
});
