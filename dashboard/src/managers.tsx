import { Fragment } from 'preact';
import type { ManagerView } from '../../src/admin/schemas.js';
import { counted, duration } from '../../src/presentation/figures.js';
import { outlookOf } from '../../src/presentation/releases.js';
import { shown } from './format.js';
import { Button, ConfirmDialog, Foreign } from './pieces.js';

interface ManagersProps {
  readonly managers: readonly ManagerView[];
  /** A release button was pressed; `null` if the token may not act. */
  readonly onRelease: ((manager: ManagerView) => void) | null;
  /** Another action runs: the buttons are disabled. */
  readonly isRunning: boolean;
}

/** The managers of a user, each with a button to release it. */
export function Managers({ managers, onRelease, isRunning }: ManagersProps) {
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
            <Row key={manager.key} manager={manager} onRelease={onRelease} isRunning={isRunning} />
          ))}
        </tbody>
      </table>
      <Suspects managers={managers} />
      <UseWords managers={managers} />
    </>
  );
}

interface ReleaseDialogProps {
  readonly manager: ManagerView;
  readonly onRelease: () => void;
  readonly onClose: () => void;
}

/** The dialog before a manager is released. */
export function ReleaseDialog({ manager: { threadId, isEngaged }, onRelease, onClose }: ReleaseDialogProps) {
  return (
    <ConfirmDialog title="Release this manager?" act="Release" onAct={onRelease} onClose={onClose}>
      <p>
        <Foreign text={threadId} /> is closed at once{isEngaged && ', though it is in use'}, and its place is free.
      </p>
    </ConfirmDialog>
  );
}

interface RowProps extends Pick<ManagersProps, 'onRelease' | 'isRunning'> {
  readonly manager: ManagerView;
}

function Row({ manager, onRelease, isRunning }: RowProps) {
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
      <td data-label="In use">{useOf(manager).join(', ') || 'no'}</td>
      {onRelease !== null && (
        <td class="row-act">
          <Button
            class="small"
            label={`Release ${shown(threadId)}`}
            isOff={isRunning}
            onClick={() => onRelease(manager)}
          >
            Release
          </Button>
        </td>
      )}
    </tr>
  );
}

/**
 * When the peer was last heard.
 *
 * Why no word such as "alive": between two heartbeats that is not known.
 */
function Heard({ manager: { state, liveness, suspect, misses, silentMs } }: { readonly manager: ManagerView }) {
  if (state === 'away') return <span class="badge">away, waits for its page to come back</span>;
  if (silentMs === null) return <span class="badge">no connection yet</span>;
  return (
    <span class="heard">
      {duration(silentMs)} ago
      {suspect !== null && <span class="badge warn">suspect</span>}
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

/** What happens to each suspect. */
function Suspects({ managers }: Pick<ManagersProps, 'managers'>) {
  const suspects = managers.filter(({ suspect }) => suspect !== null);
  if (suspects.length === 0) return null;
  return (
    <ul class="suspects">
      {suspects.map(({ key, threadId, suspect }) => (
        <li key={key}>
          <Foreign text={threadId} /> is a <b>suspect</b>: {suspect !== null && outlookOf(suspect)}.
        </li>
      ))}
    </ul>
  );
}

const uses = {
  held: 'the application holds it while something runs',
  engaged: 'heard from within the eviction floor (evictionFloorRatio of the idle timeout), or being streamed to',
  'being replaced': 'a newer connection of the thread is about to take over',
} as const;

type UseWord = keyof typeof uses;

/** Why the manager cannot be evicted. One that was unused for seconds can still be engaged. */
function useOf({ isHeld, isEngaged, hasSuccessor }: ManagerView): UseWord[] {
  const words = [isHeld && 'held', isEngaged && !isHeld && 'engaged', hasSuccessor && 'being replaced'] as const;
  return words.filter((word) => word !== false);
}

/** Explains the words in the table; a tooltip would need a mouse. */
function UseWords({ managers }: Pick<ManagersProps, 'managers'>) {
  const words = new Set(managers.flatMap(useOf));
  if (words.size === 0) return null;
  return (
    <p class="note">
      Not to be evicted:
      {[...words].map((word, index) => (
        <Fragment key={word}>
          {index > 0 && ';'} <b>{word}</b>, {uses[word]}
        </Fragment>
      ))}
      .
    </p>
  );
}
