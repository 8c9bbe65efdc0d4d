const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** Reads a duration with its unit, e.g. `120s`, as milliseconds. */
export function readDuration(written: unknown): { readonly value: number } | { readonly problem: string } {
  const match = typeof written === 'string' ? /^([0-9]+(?:\.[0-9]+)?) *(ms|s|m|h)$/.exec(written.trim()) : null;
  if (match === null) {
    return {
      problem: `got ${JSON.stringify(written)}, wanted a duration with its unit, such as 500ms, 120s, 10m or 1h`,
    };
  }
  return { value: Number(match[1]) * units[match[2] as keyof typeof units] };
}

/** A duration with its largest whole unit: 600000 → `10m`. */
export function writeDuration(valueMs: number): string {
  for (const unit of ['h', 'm', 's'] as const) {
    if (valueMs >= units[unit] && valueMs % units[unit] === 0) return `${String(valueMs / units[unit])}${unit}`;
  }
  return `${String(valueMs)}ms`;
}
