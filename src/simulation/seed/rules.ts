/** What differs between the server before the fixes of the sketch and the one with them. */
export interface SeedRules {
  readonly about: string;
  /** If a user holds this part of the limit, a newcomer starts an emergency cleanup. */
  readonly cleanupTriggerThreshold: number;
  readonly backgroundCleanupIntervalMs: number;
  /** A connection that is closed takes its manager with it. */
  readonly cleansUpOnClose: boolean;
  /** A user who is still above the threshold loses the oldest connections. */
  readonly forcesOldest: boolean;
  /** Levels, looked at after each admission. */
  readonly watchesLevels: boolean;
}

/** Servers to compare with. */
export const seedRules = {
  seed: {
    about: "the sketch's five fixes, as written",
    cleanupTriggerThreshold: 0.6,
    backgroundCleanupIntervalMs: 60_000,
    cleansUpOnClose: true,
    forcesOldest: true,
    watchesLevels: true,
  },
  before: {
    about: 'the state the sketch calls current: cleanup from 70 %, every two minutes, none when a connection closes',
    cleanupTriggerThreshold: 0.7,
    backgroundCleanupIntervalMs: 120_000,
    cleansUpOnClose: false,
    forcesOldest: false,
    watchesLevels: false,
  },
} as const satisfies Record<string, SeedRules>;

/** The name of a server to compare with. */
export type SeedName = keyof typeof seedRules;
