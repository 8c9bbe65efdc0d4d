import { count, counted, duration } from './figures.js';

/** An event of the stream, or an entry of a journal: its fields depend on its type. */
export type Told = Readonly<Record<string, unknown>> & { readonly type: string };

/** How good or bad an event is: decides the colour of its sentence. */
export type Tone = 'good' | 'neutral' | 'warn' | 'bad';

/** An event in plain words. */
export interface Sentence {
  readonly text: string;
  readonly tone: Tone;
}

/** Makes the sentence of an event. */
export type Teller = (fields: Fields) => Sentence;

/** Makes the text of a sentence, or a part of it. */
export type Words = (fields: Fields) => string;

/** Reads the fields of an event that came over the wire: any field may be missing or of another type. */
export class Fields {
  /** @param show makes text from elsewhere safe to show */
  constructor(
    readonly event: Told,
    readonly show: (text: string) => string,
  ) {}

  /** The thread that the event is about. */
  get thread(): string {
    return this.text('threadId');
  }

  text(name: string): string {
    const value = this.event[name];
    return value === undefined ? '?' : this.show(typeof value === 'string' ? value : JSON.stringify(value));
  }

  number(name: string): number | null {
    const value = this.event[name];
    return typeof value === 'number' ? value : null;
  }

  count(name: string): string {
    const value = this.number(name);
    return value === null ? '?' : count(value);
  }

  /** `3 holds`, `1 hold`. */
  counted(name: string, one: string, many?: string): string {
    return counted(this.number(name) ?? 0, one, many);
  }

  duration(name: string): string {
    return duration(this.number(name));
  }

  /** The words if the field is text, otherwise nothing. */
  whenText(name: string, words: (value: string) => string): string {
    return typeof this.event[name] === 'string' ? words(this.text(name)) : '';
  }

  /** The words if the field is a number above zero, otherwise nothing. */
  when(name: string, words: (value: number) => string): string {
    const value = this.number(name);
    return value === null || value <= 0 ? '' : words(value);
  }

  /** The entry of a table under the name that the field gives; nothing that every object inherits. */
  in<T>(name: string, table: Readonly<Record<string, T>>): T | undefined {
    const value = this.event[name];
    return typeof value === 'string' && Object.hasOwn(table, value) ? table[value] : undefined;
  }
}
