/** What differs between the server before the seed's fixes and the one with them. */
export interface SeedRules {
  readonly about: string;
  /** From this part of a user's limit on, a newcomer sets off an emergency cleanup. */
  readonly cleanupTriggerThreshold: number;
  readonly backgroundCleanupIntervalMs: number;
  /** Fix 3: a connection that is closed takes its manager with it. */
  readonly cleansUpOnClose: boolean;
  /** Fix 1, strategy 4: whoever is still above the threshold loses the oldest. */
  readonly forcesOldest: boolean;
  /** Fix 4: levels, looked at after each admission. */
  readonly watchesLevels: boolean;
}

/** Servers to compare with. @source the seed; spec section 9, row 21 */
export const seedRules = {
  seed: {
    about: "the seed's five fixes, as written",
    cleanupTriggerThreshold: 0.6,
    backgroundCleanupIntervalMs: 60_000,
    cleansUpOnClose: true,
    forcesOldest: true,
    watchesLevels: true,
  },
  before: {
    about: 'the state the seed calls current: cleanup from 70 %, every two minutes, none when a connection closes',
    cleanupTriggerThreshold: 0.7,
    backgroundCleanupIntervalMs: 120_000,
    cleansUpOnClose: false,
    forcesOldest: false,
    watchesLevels: false,
  },
} as const satisfies Record<string, SeedRules>;

/** The name of a server to compare with. */
export type SeedName = keyof typeof seedRules;
