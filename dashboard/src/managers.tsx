import { Fragment } from 'preact';
import { useState } from 'preact/hooks';
import type { ManagerView } from '../../src/admin/schemas.js';
import { counted, duration, shown } from './format.js';
import { ConfirmDialog, Foreign } from './pieces.js';

interface ManagersProps {
  readonly managers: readonly ManagerView[];
  /** `null` where who looks may not act. */
  readonly onRelease: ((manager: ManagerView) => void) | null;
}

/** What a user holds, and a button to release each, for who may. */
export function Managers({ managers, onRelease }: ManagersProps) {
  const [asked, setAsked] = useState<ManagerView | null>(null);
  return (
    <>
      <table class="stacked managers">
        <thead>
          <tr>
            <th scope="col">Thread</th>
            <th scope="col">Last heard</th>
            {['Age', 'Unused', 'Round trip'].map((name) => (
              <th key={name} scope="col" class="number">
                {name}
              </th>
            ))}
            <th scope="col">In use</th>
            {onRelease !== null && (
              <th scope="col">
                <span class="hidden">What to do</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {managers.map((manager) => (
            <Row key={manager.key} manager={manager} onAsk={onRelease === null ? null : setAsked} />
          ))}
        </tbody>
      </table>
      {asked !== null && onRelease !== null && (
        <ConfirmDialog
          {...{ title: 'Release this manager?', act: 'Release' }}
          onAct={() => onRelease(asked)}
          onClose={() => setAsked(null)}
        >
          <p>
            <Foreign text={asked.threadId} /> is closed at once{asked.isEngaged && ', though it is in use'}, and its
            place is free.
          </p>
        </ConfirmDialog>
      )}
    </>
  );
}

interface RowProps {
  readonly manager: ManagerView;
  readonly onAsk: ((manager: ManagerView) => void) | null;
}

function Row({ manager, onAsk }: RowProps) {
  const { threadId, error } = manager;
  return (
    <tr>
      <th scope="row">
        <Foreign text={threadId} />
        {error !== null && <span class="trouble small">{shown(error)}</span>}
      </th>
      <td data-label="Last heard">
        <Heard manager={manager} />
      </td>
      <Cell label="Age" ms={manager.ageMs} />
      <Cell label="Unused" ms={manager.idleMs} />
      <Cell label="Round trip" ms={manager.roundTripMs} />
      <td data-label="In use">
        <Use manager={manager} />
      </td>
      {onAsk !== null && (
        <td class="row-act">
          <button type="button" class="small" aria-label={`Release ${shown(threadId)}`} onClick={() => onAsk(manager)}>
            Release
          </button>
        </td>
      )}
    </tr>
  );
}

/**
 * When the peer was last heard.
 *
 * Why no word such as "alive": between two heartbeats nobody knows, and the time says all there is.
 */
function Heard({ manager: { liveness, misses, silentMs } }: { readonly manager: ManagerView }) {
  if (silentMs === null) return <span class="badge">no connection yet</span>;
  return (
    <span class="heard">
      {duration(silentMs)} ago
      {misses > 0 && <span class="badge warn">{counted(misses, 'heartbeat')} unanswered</span>}
      {liveness === 'not open' && <span class="badge bad">not open</span>}
    </span>
  );
}

function Cell({ label, ms }: { readonly label: string; readonly ms: number | null }) {
  return (
    <td data-label={label} class="number">
      {duration(ms)}
    </td>
  );
}

const uses = {
  held: 'Not to be evicted: the application holds it while something runs.',
  engaged: 'Not to be evicted: heard from within the eviction floor (60 s in production), or being streamed to.',
  'being replaced': 'A newer connection of the thread is about to take over.',
} as const;

/** What keeps it from being evicted. A manager may be unused for seconds and engaged, which puzzles without a word. */
function Use({ manager: { isHeld, isEngaged, hasSuccessor } }: { readonly manager: ManagerView }) {
  const words = [isHeld && 'held', isEngaged && !isHeld && 'engaged', hasSuccessor && 'being replaced'] as const;
  const told = words.filter((word) => word !== false);
  if (told.length === 0) return <>no</>;
  return told.map((word, index) => (
    <Fragment key={word}>
      {index > 0 && ', '}
      <span class="explained" title={uses[word]}>
        {word}
      </span>
    </Fragment>
  ));
}
