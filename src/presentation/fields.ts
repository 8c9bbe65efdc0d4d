import { count, duration } from './figures.js';

/** An event of the stream, or an entry of a journal: its fields depend on its type. */
export type Told = Readonly<Record<string, unknown>> & { readonly type: string };

/** How a sentence is meant: decides its colour. */
export type Tone = 'good' | 'neutral' | 'warn' | 'bad';

/** An event in plain words. */
export interface Sentence {
  readonly text: string;
  readonly tone: Tone;
}

/** Makes a sentence of an event. */
export type Teller = (fields: Fields) => Sentence;

/** A teller whose tone is always the same. */
export const tell =
  (tone: Tone, words: (fields: Fields) => string): Teller =>
  (fields) => ({ text: words(fields), tone });

/** Reads the fields of an event that came over the wire: any field may be missing or of another type. */
export class Fields {
  /** @param show makes text from elsewhere safe to show */
  constructor(
    readonly told: Told,
    readonly show: (text: string) => string,
  ) {}

  text(name: string): string {
    const value = this.told[name];
    return value === undefined ? '?' : this.show(typeof value === 'string' ? value : JSON.stringify(value));
  }

  isText(name: string): boolean {
    return typeof this.told[name] === 'string';
  }

  number(name: string): number | null {
    const value = this.told[name];
    return typeof value === 'number' ? value : null;
  }

  count(name: string): string {
    const value = this.number(name);
    return value === null ? '?' : count(value);
  }

  duration(name: string): string {
    return duration(this.number(name));
  }

  /** The words if the field is a number above zero, otherwise nothing. */
  when(name: string, words: (value: number) => string): string {
    const value = this.number(name);
    return value === null || value <= 0 ? '' : words(value);
  }

  is(name: string): boolean {
    return this.told[name] === true;
  }

  list(name: string): string {
    const value = this.told[name];
    return Array.isArray(value) ? value.map((item) => this.show(String(item))).join(' ← ') : '';
  }

  /** The entry of a table under the name that the field gives; nothing that every object inherits. */
  in<T>(name: string, table: Readonly<Record<string, T>>): T | undefined {
    const value = this.told[name];
    return typeof value === 'string' && Object.hasOwn(table, value) ? table[value] : undefined;
  }
}
