/** A part of the window, with its measurements. */
interface Slot<T> {
  readonly number: number;
  readonly value: T;
}

/**
 * The measurements of the last `slots` slots, the present one included. Slots of an hour cover between 23 and 24 hours. It
 * takes the same memory however much is measured.
 */
export class SlidingWindow<T> {
  readonly #make: () => T;
  readonly #slotMs: number;
  readonly #slots: number;
  #kept: Slot<T>[] = [];

  /**
   * @param make an empty slot
   * @param slotMs how long one slot lasts
   * @param slots how many are kept
   */
  constructor(make: () => T, slotMs = 3_600_000, slots = 24) {
    this.#make = make;
    this.#slotMs = slotMs;
    this.#slots = slots;
  }

  /** The slot of this time, which may be a little past: a minute is counted when it is over. */
  at(nowMs: number): T {
    const number = Math.floor(nowMs / this.#slotMs);
    const last = this.#kept[this.#kept.length - 1];
    if (last?.number === number) return last.value;
    const kept = this.#kept.find((slot) => slot.number === number);
    if (kept !== undefined) return kept.value;
    const slot = { number, value: this.#make() };
    this.#kept = [...this.#live(number), slot];
    return slot.value;
  }

  /** All slots of the window that ends now, the oldest first, without those in which nothing happened. */
  all(nowMs: number): T[] {
    return this.#live(Math.floor(nowMs / this.#slotMs)).map(({ value }) => value);
  }

  /** When the window that ends now began. */
  beginsAtMs(nowMs: number): number {
    return (Math.floor(nowMs / this.#slotMs) - this.#slots + 1) * this.#slotMs;
  }

  #live(number: number): Slot<T>[] {
    return this.#kept.filter((slot) => slot.number > number - this.#slots);
  }
}
