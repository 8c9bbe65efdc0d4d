import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load-config.js';
import { writeDuration } from '../../src/core/durations.js';
import { environments, presets } from '../../src/core/presets.js';
import { settingNames, settings, type SettingName } from '../../src/core/settings.js';
import { outsideName, readWritten, variableName, writeSetting } from '../../src/config/written-settings.js';

describe('every setting', () => {
  it.each(settingNames)('%s says what it is for', (name) => {
    expect(settings[name].about).toMatch(/^[A-Z].*\.$/);
  });

  it.each(settingNames)('%s ends in Ms exactly if it is a duration', (name) => {
    expect(name.endsWith('Ms')).toBe(settings[name].kind === 'duration');
  });

  it.each(settingNames.filter((name) => 'default' in settings[name]))('%s has a default that is allowed', (name) => {
    const setting = settings[name];
    expect(setting.schema().safeParse('default' in setting ? setting.default : undefined).success).toBe(true);
  });

  it.each(environments)('the preset %s has allowed values only', (environment) => {
    for (const [name, value] of Object.entries(presets[environment])) {
      expect(settings[name as SettingName].schema().safeParse(value), name).toMatchObject({ success: true });
    }
  });

  it('has a variable of its own', () => {
    expect(new Set(settingNames.map(variableName)).size).toBe(settingNames.length);
  });
});

describe('the defaults of the specification', () => {
  const { config } = loadConfig({ environment: 'production' });

  it.each([
    ['heartbeatIntervalMs', 25_000],
    ['maxHeartbeatMisses', 2],
    ['probeTimeoutMs', 500],
    ['slowConsumerTimeoutMs', 60_000],
    ['minSilenceMs', 3_000],
    ['backlogExcuseMs', 8_000],
    ['maxUnsentBytes', 67_108_864],
    ['maxHoldMs', 3_600_000],
    ['resumeGraceMs', 10_000],
    ['drainHoldTimeoutMs', 15_000],
    ['stallToleranceMs', 100],
    ['ticketMs', 10_000],
    ['authenticateTimeoutMs', 10_000],
    ['closeGraceMs', 1_000],
    ['hookTimeoutMs', 5_000],
    ['maxCleanupRetries', 3],
    ['emergencyCleanupSpacingMs', 1_000],
    ['cleanupCooldownMs', 5_000],
    ['reportedErrorTimeoutMs', 300_000],
    ['streamingWindowMs', 5_000],
    ['evictionFloorRatio', 0.1],
    ['patienceRatio', 0.3],
    ['criticalThreshold', 0.8],
    ['emergencyThreshold', 0.9],
    ['takeoverFightLimit', 5],
    ['takeoverFightWindowMs', 10_000],
    ['contestedRetryMs', 10_000],
    ['forcedEviction', 'on-demand'],
    ['leakDetection', 'off'],
    ['recogniseKeepalives', true],
    ['maxTotalManagers', null],
  ] as const)('%s is %j', (name, value) => {
    expect(config[name]).toBe(value);
  });
});

describe('outside code', () => {
  it.each([
    ['idleManagerTimeoutMs', 'idleManagerTimeout', 'MOORING_IDLE_MANAGER_TIMEOUT'],
    ['maxManagersPerUser', 'maxManagersPerUser', 'MOORING_MAX_MANAGERS_PER_USER'],
    ['ticketMs', 'ticket', 'MOORING_TICKET'],
    ['closeCodes', 'closeCodes', 'MOORING_CLOSE_CODES'],
  ] as const)('%s is written %s and %s', (name, outside, variable) => {
    expect(outsideName(name)).toBe(outside);
    expect(variableName(name)).toBe(variable);
  });

  it.each([
    ['500ms', 500],
    ['120s', 120_000],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['1.5s', 1_500],
    ['1.25s', 1_250],
    ['0s', 0],
    [' 10 m ', 600_000],
  ])('the duration %j is %i ms', (written, valueMs) => {
    expect(readWritten('ticketMs', written)).toEqual({ value: valueMs });
  });

  it.each(['120', 120, '', 's', '-5s', '10 minutes', '1h30m', '5S', 'Infinity', '1e3s', null, true, {}, []])(
    'the duration %j is a mistake, and is told to need a unit',
    (written) => {
      const read = readWritten('ticketMs', written);
      expect(read).toHaveProperty('problem', expect.stringContaining('with its unit'));
    },
  );

  it.each([
    ['maxManagersPerUser', '20', 20],
    ['maxManagersPerUser', 20, 20],
    ['patienceRatio', ' 0.25 ', 0.25],
    ['maxTotalManagers', 'none', null],
    ['maxTotalManagers', null, null],
    ['idleManagerTimeoutMs', 'off', null],
    ['idleManagerTimeoutMs', ' off ', null],
    ['forcedEviction', 'by-level', 'by-level'],
    ['leakDetection', 'all', 'all'],
    ['recogniseKeepalives', 'false', false],
    ['recogniseKeepalives', 'true', true],
    ['recogniseKeepalives', false, false],
    ['recogniseKeepalives', 'yes', 'yes'],
    ['closeCodes', '{"idle":4000}', { idle: 4000 }],
    ['closeCodes', { idle: 4000 }, { idle: 4000 }],
    ['closeCodes', ' graphql-ws', 'graphql-ws'],
  ] as const)('%s of %j is %j', (name, written, value) => {
    expect(readWritten(name, written)).toEqual({ value });
  });

  it.each([
    ['maxManagersPerUser', 'many'],
    ['maxManagersPerUser', '-1'],
    ['maxManagersPerUser', ''],
    ['idleManagerTimeoutMs', 'none'],
    ['idleManagerTimeoutMs', '600'],
    ['heartbeatIntervalMs', 'off'],
    ['patienceRatio', '30%'],
    ['closeCodes', '{idle:4000}'],
  ] as const)('%s of %j cannot be read', (name, written) => {
    expect(readWritten(name, written)).toHaveProperty('problem', expect.stringContaining(written));
  });
});

describe('the bounds of', () => {
  const isAllowed = (name: SettingName, value: unknown): boolean => settings[name].schema().safeParse(value).success;

  it.each([
    ['maxManagersPerUser', 0, -1],
    ['maxManagersPerUser', 100_000, 100_001],
    ['maxManagersPerUser', 1, 1.5],
    ['maxCleanupRetries', 1, 0],
    ['maxCleanupRetries', 3, 4],
    ['maxHeartbeatMisses', 2, 1],
    ['proactiveCleanupThreshold', 1, 1.001],
    ['proactiveCleanupThreshold', 0.001, 0],
    ['evictionFloorRatio', 0.001, 0],
    ['patienceRatio', 1, 1.001],
    ['probeTimeoutMs', 10, 9],
    ['heartbeatIntervalMs', 50, Number.NaN],
    ['idleManagerTimeoutMs', 86_400_000, Infinity],
    ['sliceBudgetMs', 5, 0],
    ['maxHoldMs', 1, 0],
    ['maxHoldMs', 2 ** 31 - 1, 2 ** 31],
    ['resumeGraceMs', 0, -1],
  ] as const)('%s include %d and not %d', (name, allowed, refused) => {
    expect(isAllowed(name, allowed)).toBe(true);
    expect(isAllowed(name, refused)).toBe(false);
  });

  it.each([
    [1000, true],
    [1001, false],
    [1005, false],
    [1006, false],
    [1008, true],
    [1011, true],
    [1012, true],
    [1013, true],
    [1015, false],
    [2999, false],
    [3000, true],
    [4999, true],
    [5000, false],
  ])('a close code: %i is allowed: %s', (code, wanted) => {
    expect(isAllowed('closeCodes', { idle: code })).toBe(wanted);
  });

  it('close codes do not include a cause that does not exist', () => {
    expect(isAllowed('closeCodes', { boredom: 4000 })).toBe(false);
    expect(isAllowed('closeCodes', 'graphql-ws')).toBe(true);
    expect(isAllowed('closeCodes', 'graphql')).toBe(false);
  });
});

describe('a duration for people', () => {
  it.each([
    [0, '0ms'],
    [1, '1ms'],
    [999, '999ms'],
    [1_000, '1s'],
    [1_500, '1500ms'],
    [60_000, '1m'],
    [90_000, '90s'],
    [600_000, '10m'],
    [3_600_000, '1h'],
    [5_400_000, '90m'],
  ])('of %i ms is %s, and reads back', (valueMs, text) => {
    expect(writeDuration(valueMs)).toBe(text);
    expect(readWritten('ticketMs', text)).toEqual({ value: valueMs });
  });
});

describe('a setting as it may be written', () => {
  it.each([
    ['maxTotalManagers', null, 'none'],
    ['idleManagerTimeoutMs', null, 'off'],
    ['maxManagersPerUser', 20, '20'],
    ['idleManagerTimeoutMs', 600_000, '10m'],
    ['forcedEviction', 'by-level', 'by-level'],
    ['closeCodes', { idle: 4408 }, '{"idle":4408}'],
  ] as const)('%s of %j is %s', (name, value, written) => {
    expect(writeSetting(name, value)).toBe(written);
  });
});
