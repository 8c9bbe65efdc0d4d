/** How long a span is, in milliseconds, and how many of them one word has a bit for. */
const spanMs = 1_024;
const bitsPerWord = 32;

/** Something that is to happen. */
export class PlannedEvent {
  /** When it is due. Owned by the arrivals it lies in. */
  atMs = 0;
  /** Due in the same millisecond, or span, and planned later. Owned by the arrivals it lies in. */
  next: PlannedEvent | null = null;

  /**
   * @param act what happens
   * @param recurs whether `act` returns in how many milliseconds it is to happen again; `null`: never
   */
  constructor(
    readonly act: () => unknown,
    readonly recurs = false,
  ) {}
}

/** Calendar in the order in which they were planned. */
class Chain {
  #first: PlannedEvent | null = null;
  #last: PlannedEvent | null = null;

  get isEmpty(): boolean {
    return this.#first === null;
  }

  put(event: PlannedEvent): void {
    event.next = null;
    if (this.#last === null) this.#first = event;
    else this.#last.next = event;
    this.#last = event;
  }

  take(): PlannedEvent | null {
    const first = this.#first;
    if (first === null) return null;
    this.#first = first.next;
    if (this.#first === null) this.#last = null;
    return first;
  }
}

/**
 * What is to happen, in the order in which it is due and was planned, in whole milliseconds.
 *
 * Why not a heap: a day has millions of arrivals, most of them due within the second. Each millisecond of the span that
 * has begun has a chain, and a bit that says whether anything is in it; each later span has one chain for all. So
 * putting one in and taking one out costs the same, however many there are.
 */
export class Calendar {
  readonly #chains = Array.from({ length: spanMs }, () => new Chain());
  readonly #bits = new Int32Array(spanMs / bitsPerWord);
  /** Those of spans that have not begun. */
  readonly #later = new Map<number, Chain>();
  /** The span that has begun. */
  #span = 0;
  /** The word to look at first: in those before it there is nothing any longer. */
  #word = 0;

  /** @param atMs not before the time up to which something was taken */
  put(event: PlannedEvent, atMs: number): void {
    event.atMs = atMs;
    const span = Math.floor(atMs / spanMs);
    if (span === this.#span) {
      this.#putInSpan(event);
      return;
    }
    const later = this.#later.get(span) ?? new Chain();
    if (later.isEmpty) this.#later.set(span, later);
    later.put(event);
  }

  /** Takes out what is due first, where it is due until then. */
  take(nowMs: number): PlannedEvent | null {
    for (;;) {
      const index = this.#firstIndex();
      const atMs = this.#span * spanMs + index;
      if (atMs > nowMs) return null;
      if (index < spanMs) return this.#takeAt(index);
      if (this.#later.size === 0) return null;
      this.#beginNextSpan();
    }
  }

  /** Before then nothing is due: when the first is, or the next span begins. `Infinity` where nothing is to happen. */
  soonestMs(): number {
    const index = this.#firstIndex();
    return index === spanMs && this.#later.size === 0 ? Infinity : this.#span * spanMs + index;
  }

  #beginNextSpan(): void {
    this.#span += 1;
    this.#word = 0;
    const begun = this.#later.get(this.#span);
    if (begun === undefined) return;
    this.#later.delete(this.#span);
    for (let event = begun.take(); event !== null; event = begun.take()) this.#putInSpan(event);
  }

  #putInSpan(event: PlannedEvent): void {
    const index = event.atMs % spanMs;
    this.#chainAt(index).put(event);
    this.#setBits(index, this.#bitsAt(index) | bitOf(index));
    this.#word = Math.min(this.#word, wordOf(index));
  }

  #takeAt(index: number): PlannedEvent | null {
    const chain = this.#chainAt(index);
    const event = chain.take();
    if (chain.isEmpty) this.#setBits(index, this.#bitsAt(index) & ~bitOf(index));
    return event;
  }

  /** The first millisecond of the span with anything in it, or the span's length. */
  #firstIndex(): number {
    for (; this.#word < spanMs / bitsPerWord; this.#word++) {
      const bits = this.#bits[this.#word] ?? 0;
      if (bits !== 0) return this.#word * bitsPerWord + lowestOf(bits);
    }
    return spanMs;
  }

  #chainAt(index: number): Chain {
    const chain = this.#chains[index];
    if (chain === undefined) throw new TypeError(`There is no millisecond ${String(index)} in a span`);
    return chain;
  }

  /** The word with this millisecond's bit. */
  #bitsAt(index: number): number {
    return this.#bits[wordOf(index)] ?? 0;
  }

  #setBits(index: number, bits: number): void {
    this.#bits[wordOf(index)] = bits;
  }
}

function wordOf(index: number): number {
  return Math.floor(index / bitsPerWord);
}

function bitOf(index: number): number {
  return 1 << (index % bitsPerWord);
}

/** The number of the lowest bit that is set. */
function lowestOf(bits: number): number {
  return bitsPerWord - 1 - Math.clz32(bits & -bits);
}
