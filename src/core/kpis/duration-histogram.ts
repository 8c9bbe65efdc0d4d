/** How many buckets each doubling of the duration has. */
const stepsPerDoubling = 32;

/** Doublings from 1 ms: up to some 12 days. Longer durations count as that. */
const doublings = 30;

/** Durations, in the same memory however many they are; quantiles are within some 3 %, the longest is exact. */
export class DurationHistogram {
  readonly #counts = new Uint32Array(stepsPerDoubling * doublings + 1);
  #longestMs = 0;
  #samples = 0;

  add(durationMs: number): void {
    const bucket = bucketOf(durationMs);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#samples += 1;
    this.#longestMs = Math.max(this.#longestMs, durationMs);
  }

  /** A histogram of the durations in all of them. */
  static union(histograms: readonly DurationHistogram[]): DurationHistogram {
    const union = new DurationHistogram();
    for (const histogram of histograms) {
      for (const [bucket, count] of histogram.#counts.entries()) {
        union.#counts[bucket] = (union.#counts[bucket] ?? 0) + count;
      }
      union.#samples += histogram.#samples;
      union.#longestMs = Math.max(union.#longestMs, histogram.#longestMs);
    }
    return union;
  }

  get samples(): number {
    return this.#samples;
  }

  get longestMs(): number {
    return this.#longestMs;
  }

  /** The duration that this ratio of all samples does not exceed, at most some 3 % too long; 0 without samples. */
  quantile(part: number): number {
    const wanted = Math.max(1, Math.ceil(part * this.#samples));
    let seen = 0;
    for (const [bucket, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= wanted) return Math.min(this.#longestMs, upperEndOf(bucket));
    }
    return this.#longestMs;
  }
}

/** Bucket 0 is for durations below a millisecond. */
function bucketOf(durationMs: number): number {
  if (!(durationMs >= 1)) return 0;
  return Math.min(stepsPerDoubling * doublings, Math.floor(Math.log2(durationMs) * stepsPerDoubling) + 1);
}

function upperEndOf(bucket: number): number {
  return 2 ** (bucket / stepsPerDoubling);
}
