/** The success metrics, by number. */
export const kpiTargets = {
  emergencyCleanupTime: { number: 1, unit: 'ms', target: 'all under 10 s, p99 under 5 s' },
  backgroundEffectiveness: { number: 2, unit: 'ratio', target: 'over 90 %' },
  alertFrequency: { number: 3, unit: 'ratio', target: 'under 5 %' },
  accumulation: { number: 4, unit: 'managers', target: '0' },
  connectionSuccess: { number: 5, unit: 'ratio', target: 'over 99 %' },
  wrongRefusals: { number: 6, unit: 'refusals', target: '0' },
  falseKills: { number: 7, unit: 'connections', target: '0' },
} as const satisfies Record<string, { number: number; unit: string; target: string }>;

export type KpiName = keyof typeof kpiTargets;

/** A success metric as measured. */
export interface Kpi {
  readonly name: KpiName;
  /** 1 to 7, as in the documentation. */
  readonly number: number;
  /** `null` without data. */
  readonly value: number | null;
  readonly unit: string;
  readonly target: string;
  readonly verdict: 'pass' | 'fail' | 'no data';
  /** How many runs, users, refusals or other samples it is made of. */
  readonly samples: number;
  /** The figures that the value is made of. */
  readonly detail: Readonly<Record<string, number>>;
}

/** All success metrics, and the time that they cover. */
export interface SuccessReport {
  readonly kpis: readonly Kpi[];
  readonly window: {
    readonly durationMs: number;
    /** The setting `kpiWindowMs`. */
    readonly lengthMs: number;
    /** Whether it began with this process's Mooring. */
    readonly isSinceStart: boolean;
  };
}

/** A measurement, before its verdict. */
export interface Measured {
  readonly value: number;
  readonly samples: number;
  readonly passes: boolean;
  readonly detail?: Readonly<Record<string, number>>;
}

/** Gives a measurement its verdict: `no data` without samples. */
export function judged(name: KpiName, { value, samples, passes, detail = {} }: Measured): Kpi {
  const hasData = samples > 0;
  const verdict = !hasData ? 'no data' : passes ? 'pass' : 'fail';
  return { name, ...kpiTargets[name], value: hasData ? value : null, verdict, samples, detail };
}
