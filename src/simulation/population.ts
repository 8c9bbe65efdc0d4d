/**
 * How people use a chat: the reference population, from which the scenarios differ. `silentDeathRatio`,
 * `abandonmentRatio` and `reload.ratio` are probabilities within an hour; the other ratios are parts of a whole. Times
 * are in milliseconds. Numbers with a median and a sigma are log-normal.
 */
const referencePopulation = {
  /** Open tabs of a user: p95 is 8, p99 14 and p99.9 about 25. */
  tabs: { median: 2, sigma: 0.843, min: 1, max: 40 },
  /** How often the average user begins a session, per day. */
  sessionsPerDay: 2,
  /** The busiest hour has six times the sessions of the quietest. */
  rhythm: { quietest: 1, busiest: 6 },
  sessionMs: { median: 1_200_000, sigma: 1.1, min: 30_000, max: 32_400_000 },
  phoneRatio: 0.3,
  silentDeathRatio: { desktop: 0.03, phone: 0.4 },
  reconnectMs: { min: 1_000, max: 30_000 },
  newThreadRatio: 0.3,
  abandonmentRatio: 0.1,
  keepalive: { ratio: 0.6, minMs: 15_000, maxMs: 30_000 },
  broadcast: { ratio: 0.5, everyMs: 30_000 },
  /** How often a user says something in each tab that is not abandoned. */
  messageEveryMs: 120_000,
  run: { ratio: 0.1, minMs: 5_000, maxMs: 1_200_000, tokenEveryMs: 2_000 },
  /**
   * Connections of agents and bots, whose processes sometimes compute and answer nothing meanwhile. `ratio`: the part
   * of all connections that belong to such a process. `togetherRatio`: the part of these that share it with all others
   * of their user. `everyMs`: from the end of one pause to the next.
   */
  pauses: { ratio: 0.02, togetherRatio: 0.5, minMs: 500, maxMs: 8_000, everyMs: { min: 60_000, max: 600_000 } },
  /** Half of these send messages all the time, the others like everybody. */
  talk: { ratio: 0.5, everyMs: { min: 200, max: 5_000 } },
  /** How many of the pages whose connection is held are reloaded within an hour. */
  reload: { ratio: 0.2, minMs: 100, maxMs: 3_000 },
  roundTripMs: { median: 60, sigma: 0.9, min: 10, max: 3_000 },
  lossRatio: 0.01,
  /** Each deploy breaks the connections of some of the clients. */
  deploysPerHour: 2,
  deployReach: 0.05,
  stallsPerHour: 1,
  stallMs: 2_000,
  /** The part of the users that open many tabs and reconnect in a loop. */
  hostileRatio: 0,
  hostileTabs: 25,
  /** The part of their connections that answer nothing, for `muteMs` on average. */
  muteRatio: 0.5,
  muteMs: 90_000,
};

/** Numbers that a scenario may change. */
export type Population = typeof referencePopulation;

/** What a day can be like. */
export const scenarios = {
  reference: { about: 'the reference population', population: referencePopulation },
  deploy: {
    about: 'a deploy every five minutes, each killing the way to a third of all clients',
    population: { ...referencePopulation, deploysPerHour: 12, deployReach: 0.33 },
  },
  storm: {
    about: 'Wi-Fi that drops everybody four times an hour, and everybody back within three seconds',
    population: {
      ...referencePopulation,
      deploysPerHour: 4,
      deployReach: 1,
      reconnectMs: { min: 100, max: 3_000 },
    },
  },
  mobile: {
    about: 'phones only: slow, lossy, asleep twice an hour',
    population: {
      ...referencePopulation,
      phoneRatio: 1,
      // Twice an hour on average. What wakes finds its connection gone and opens another.
      silentDeathRatio: { desktop: 0.03, phone: 0.86 },
      roundTripMs: { median: 100, sigma: 0.7, min: 30, max: 3_000 },
      lossRatio: 0.05,
    },
  },
  hostile: {
    about: 'one user in twenty opens 25 tabs and loops on refusal; half of its connections answer nothing',
    population: { ...referencePopulation, hostileRatio: 0.05 },
  },
} as const satisfies Record<string, { readonly about: string; readonly population: Population }>;

/** The name of a scenario. */
export type ScenarioName = keyof typeof scenarios;
