/**
 * Sentinel for "has not happened". Later than every simulated time, since the longest run has {@link longestMs}; and a
 * small integer, so that V8 stores it unboxed: with `Infinity` every such field is an object of its own.
 */
export const forever = 2 ** 31 - 1;

/** The longest run, in milliseconds: 24 days. */
export const longestMs = 24 * 24 * 3_600_000;
