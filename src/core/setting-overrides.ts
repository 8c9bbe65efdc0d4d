import type { SettingName, WebSocketConfig } from './settings.js';

/**
 * Former names of settings, which go on working.
 * @see SettingOverrides
 */
export const formerNames = Object.freeze({
  stalledMs: 'slowConsumerTimeoutMs',
}) satisfies Readonly<Record<string, SettingName>>;

/** Settings given in code; durations in milliseconds. Former names are accepted too. */
export type SettingOverrides = Partial<WebSocketConfig> & {
  /** @deprecated since 0.2: it is `slowConsumerTimeoutMs` now. */
  readonly stalledMs?: number;
};
