import { count } from '../../src/presentation/figures.js';
import { pageSize } from './paging.js';
import { Button } from './pieces.js';

interface PagerProps {
  /** The number of the page that is shown. */
  readonly page: number;
  readonly cursors: readonly string[];
  /** Users on all pages. */
  readonly total: number;
  /** The cursor of the next page; `null` if there is none, or if it is not known yet. */
  readonly next: string | null;
  readonly onTurn: (cursors: readonly string[]) => void;
}

/** Turns pages. Users come and go: the number of pages never falls below the current page. */
export function Pager({ page, cursors, total, next, onTurn }: PagerProps) {
  const pages = Math.max(page + (next === null ? 0 : 1), Math.ceil(total / pageSize));
  return (
    <nav class="pager" aria-label="Pages of users">
      <Turn name="Previous" to={cursors.length === 0 ? null : cursors.slice(0, -1)} onTurn={onTurn} />
      <span class="note">
        Page {count(page)} of {count(pages)}
      </span>
      <Turn name="Next" to={next === null ? null : [...cursors, next]} onTurn={onTurn} />
    </nav>
  );
}

interface TurnProps {
  readonly name: string;
  /** `null`: there is no such page. */
  readonly to: readonly string[] | null;
  readonly onTurn: (cursors: readonly string[]) => void;
}

function Turn({ name, to, onTurn }: TurnProps) {
  return (
    <Button isOff={to === null} onClick={() => to !== null && onTurn(to)}>
      {name}
    </Button>
  );
}
