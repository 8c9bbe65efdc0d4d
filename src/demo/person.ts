import { setTimeout as sleep } from 'node:timers/promises';
import { Tab, type Ended, type Habit } from './tab.js';

/** The server that the users connect to, and where their sentences go. */
export interface Stage {
  /** Of the WebSocket server. */
  readonly url: string;
  /** What the server wants thread ids to begin with. */
  readonly threadIdPrefix: string;
  tell(who: string, text: string): void;
}

/** How soon the user reopens a tab that must not reconnect by itself. */
const reopensAfterMs = 15_000;

/** A user, who opens tabs. Each tab has a thread of its own. */
export class Person {
  readonly #stage: Stage;
  readonly #userId: string;
  #threads = 0;

  constructor(stage: Stage, userId: string) {
    this.#stage = stage;
    this.#userId = userId;
  }

  says(text: string): void {
    this.#stage.tell(this.#userId, text);
  }

  /** A tab that is not open yet; with the next thread unless one is given. */
  tab(habit: Habit, thread = this.nextThread()): Tab {
    const query = new URLSearchParams({ user_id: this.#userId, thread_id: thread });
    return new Tab(`${this.#stage.url}/?${query.toString()}`, habit);
  }

  tabs(count: number, habit: Habit): Tab[] {
    return Array.from({ length: count }, () => this.tab(habit));
  }

  nextThread(): string {
    this.#threads += 1;
    return `${this.#stage.threadIdPrefix}${this.#threads}`;
  }

  /** Opens this many tabs, one after the other, and keeps them open. */
  async opens(count: number, habit: Habit, everyMs = 150): Promise<Tab[]> {
    const tabs = this.tabs(count, habit);
    for (const tab of tabs) {
      await tab.open();
      void tab.live(reopensAfterMs);
      await sleep(everyMs);
    }
    return tabs;
  }

  /** Opens this many tabs at once. @returns the tabs, and the refusals */
  async opensAtOnce(count: number, habit: Habit): Promise<{ tabs: Tab[]; refused: Ended[] }> {
    const tabs = this.tabs(count, habit);
    const outcomes = await Promise.all(tabs.map((tab) => tab.open()));
    for (const tab of tabs) void tab.live(reopensAfterMs);
    return { tabs, refused: outcomes.filter((outcome) => outcome !== null) };
  }
}

/** How some connections are: `5 × 4408 idle, 1 open`. */
export function endsOf(ends: readonly (Ended | null)[]): string {
  const counts = new Map<string, number>();
  for (const end of ends) {
    const words = end === null ? 'open' : `${end.code} ${end.reason}`.trim();
    counts.set(words, (counts.get(words) ?? 0) + 1);
  }
  return [...counts].map(([words, count]) => (count === 1 ? words : `${count} × ${words}`)).join(', ');
}
