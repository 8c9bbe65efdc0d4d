/** Where the process runs. Each environment has its own limits and timeouts; those of `test` are those of development. */
export type Environment = 'production' | 'staging' | 'development' | 'test';

/** The settings that differ between environments. */
export interface Preset {
  readonly maxManagersPerUser: number;
  readonly emergencyCleanupTimeoutMs: number;
  readonly backgroundCleanupIntervalMs: number;
  readonly proactiveCleanupThreshold: number;
  readonly idleManagerTimeoutMs: number;
}

const development: Preset = {
  maxManagersPerUser: 20,
  emergencyCleanupTimeoutMs: 2_000,
  backgroundCleanupIntervalMs: 15_000,
  proactiveCleanupThreshold: 0.4,
  idleManagerTimeoutMs: 120_000,
};

export const presets = Object.freeze({
  production: {
    maxManagersPerUser: 20,
    emergencyCleanupTimeoutMs: 10_000,
    backgroundCleanupIntervalMs: 60_000,
    proactiveCleanupThreshold: 0.6,
    idleManagerTimeoutMs: 600_000,
  },
  staging: {
    maxManagersPerUser: 20,
    emergencyCleanupTimeoutMs: 5_000,
    backgroundCleanupIntervalMs: 30_000,
    proactiveCleanupThreshold: 0.5,
    idleManagerTimeoutMs: 300_000,
  },
  development,
  test: development,
}) satisfies Readonly<Record<Environment, Preset>>;

/** The environments a configuration can name. */
export const environments = ['production', 'staging', 'development', 'test'] as const satisfies readonly Environment[];
