/** The length of a span. */
const spanMs = 1_024;
/** Milliseconds of a span that share a word of bits. */
const bitsPerWord = 32;

/** Something that will happen. */
export class PlannedEvent {
  /** When it is due; set by its calendar. */
  atMs = 0;
  /** The next event of the same millisecond or span; set by its calendar. */
  next: PlannedEvent | null = null;

  /**
   * @param act what happens
   * @param recurs whether `act` returns the milliseconds until it happens again, or `null` for never
   */
  constructor(
    readonly act: () => unknown,
    readonly recurs = false,
  ) {}
}

/** Events in the order in which they were planned. */
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
 * Events by due time, in whole milliseconds; those of the same millisecond in the order in which they were planned.
 *
 * Why not a heap: a day has millions of events, most of them due within the second. Each millisecond of the current
 * span has a chain, and a bit that says whether the chain has events; each later span has one chain. So adding and
 * taking an event costs the same for ten events as for a million.
 */
export class Calendar {
  readonly #chains = Array.from({ length: spanMs }, () => new Chain());
  readonly #words = new Int32Array(spanMs / bitsPerWord);
  /** The events of later spans. */
  readonly #later = new Map<number, Chain>();
  /** The number of the current span. */
  #span = 0;
  /** The first word that can have a bit set. */
  #firstWord = 0;

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

  /** Takes out the first event, if it is due by then. */
  take(nowMs: number): PlannedEvent | null {
    for (;;) {
      const index = this.#firstIndex();
      if (this.#span * spanMs + index > nowMs) return null;
      if (index < spanMs) return this.#takeAt(index);
      if (this.#later.size === 0) return null;
      this.#beginNextSpan();
    }
  }

  /** No event is due before then: the first event, or the beginning of the next span. `Infinity` without events. */
  soonestMs(): number {
    const index = this.#firstIndex();
    return index === spanMs && this.#later.size === 0 ? Infinity : this.#span * spanMs + index;
  }

  #beginNextSpan(): void {
    this.#span += 1;
    this.#firstWord = 0;
    const begun = this.#later.get(this.#span);
    if (begun === undefined) return;
    this.#later.delete(this.#span);
    for (let event = begun.take(); event !== null; event = begun.take()) this.#putInSpan(event);
  }

  #putInSpan(event: PlannedEvent): void {
    const index = event.atMs % spanMs;
    this.#chainAt(index).put(event);
    this.#mark(index, true);
    this.#firstWord = Math.min(this.#firstWord, Math.floor(index / bitsPerWord));
  }

  #takeAt(index: number): PlannedEvent | null {
    const chain = this.#chainAt(index);
    const event = chain.take();
    if (chain.isEmpty) this.#mark(index, false);
    return event;
  }

  /** The first millisecond of the span that has an event, or the span's length. */
  #firstIndex(): number {
    for (; this.#firstWord < this.#words.length; this.#firstWord++) {
      const word = this.#words[this.#firstWord] ?? 0;
      const lowestBit = bitsPerWord - 1 - Math.clz32(word & -word);
      if (word !== 0) return this.#firstWord * bitsPerWord + lowestBit;
    }
    return spanMs;
  }

  #chainAt(index: number): Chain {
    const chain = this.#chains[index];
    if (chain === undefined) throw new TypeError(`There is no millisecond ${String(index)} in a span`);
    return chain;
  }

  #mark(index: number, hasEvents: boolean): void {
    const number = Math.floor(index / bitsPerWord);
    const word = this.#words[number] ?? 0;
    const bit = 1 << (index % bitsPerWord);
    this.#words[number] = hasEvents ? word | bit : word & ~bit;
  }
}
