import type { WebSocketConfig } from '../core/settings.js';

/** Mistakes that only several settings together show; each of them is valid by itself. */
export function contradictions(config: WebSocketConfig): string[] {
  const { patienceRatio, emergencyCleanupTimeoutMs: timeoutMs } = config;
  const timeout = `emergencyCleanupTimeoutMs (${String(timeoutMs)})`;
  const floorWhy = 'an eviction must not need a longer idle time than other cleanups under pressure';
  const silenceWhy = 'it must be over before the cleanup is';
  const bounds = [
    { name: 'evictionFloorRatio', most: patienceRatio, is: `patienceRatio (${String(patienceRatio)})`, why: floorWhy },
    {
      name: 'probeTimeoutMs',
      most: timeoutMs / 4,
      is: `a quarter of ${timeout}`,
      why: 'two probes must fit into half of it',
    },
    { name: 'minSilenceMs', most: 0.6 * timeoutMs, is: `60 % of ${timeout}`, why: silenceWhy },
    {
      name: 'nodeTimeoutMs',
      most: 0.8 * timeoutMs - 2 * config.nodeBeatMs,
      is: `80 % of ${timeout} less two nodeBeatMs (${String(config.nodeBeatMs)})`,
      why: 'a cleanup must go on until the slots of a dead process are free',
    },
    { name: 'backlogExcuseMs', most: 0.8 * timeoutMs, is: `80 % of ${timeout}`, why: silenceWhy },
  ] as const;
  const problems = bounds
    .filter(({ name, most }) => config[name] > most)
    .map(({ name, is, why }) => `${name}: got ${String(config[name])}, wanted at most ${is}: ${why}`);
  const { proactiveCleanupThreshold, criticalThreshold, emergencyThreshold } = config;
  if (proactiveCleanupThreshold <= criticalThreshold && criticalThreshold <= emergencyThreshold) return problems;
  const thresholds = [proactiveCleanupThreshold, criticalThreshold, emergencyThreshold].join(', ');
  return [
    ...problems,
    `proactiveCleanupThreshold, criticalThreshold, emergencyThreshold: got ${thresholds}; wanted them in rising order`,
  ];
}
