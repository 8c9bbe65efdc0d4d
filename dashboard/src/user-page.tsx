import { useState } from 'preact/hooks';
import type { ManagerView, UserView } from '../../src/admin/schemas.js';
import { Actions } from './actions.js';
import { pathOfUser } from './api.js';
import { counted, duration, shown } from './format.js';
import { Journal } from './journal.js';
import { Card, ConfirmDialog, Foreign, LevelBadge, Loading, Trouble, Usage } from './pieces.js';
import { usePoll } from './poll.js';

const everyMs = 2_000;

/** A user: what they hold, what was decided about them, and what can be done. */
export function UserPage({ userId }: { readonly userId: string }) {
  const { data, problem, refresh } = usePoll<UserView>(pathOfUser(userId), everyMs);
  return (
    <>
      <p class="crumbs">
        <a href="#/users">Users</a>
      </p>
      <h1 class="user-title">
        <Foreign text={userId} />
      </h1>
      <Trouble problem={problem} />
      {data === null ? problem === null && <Loading /> : <Known user={data} onActed={refresh} />}
    </>
  );
}

function Known({ user, onActed }: { readonly user: UserView; readonly onActed: () => void }) {
  const [released, setReleased] = useState<ManagerView | null>(null);
  return (
    <>
      <p class="user-usage">
        <Usage used={user.managerCount} limit={user.maxManagers} ratio={user.usageRatio} level={user.alertLevel} />
        <LevelBadge level={user.alertLevel} />
        {user.waiting > 0 && <span class="badge bad">{counted(user.waiting, 'newcomer')} waiting</span>}
        <a href={`#/events?user=${encodeURIComponent(user.userId)}`}>Watch events</a>
      </p>
      <Actions userId={user.userId} released={released} onActed={onActed} />
      <Card title="Managers" note={counted(user.managers.length, 'manager')}>
        {user.managers.length === 0 ? (
          <p class="note">This user holds nothing now.</p>
        ) : (
          <Managers managers={user.managers} onRelease={setReleased} />
        )}
      </Card>
      <Journal userId={user.userId} />
    </>
  );
}

interface ManagersProps {
  readonly managers: readonly ManagerView[];
  readonly onRelease: (manager: ManagerView) => void;
}

function Managers({ managers, onRelease }: ManagersProps) {
  const [asked, setAsked] = useState<ManagerView | null>(null);
  return (
    <>
      <div class="table-card">
        <table class="stacked managers">
          <thead>
            <tr>
              <th scope="col">Thread</th>
              <th scope="col">Liveness</th>
              {['Age', 'Unused', 'Silent', 'Round trip'].map((name) => (
                <th key={name} scope="col" class="number">
                  {name}
                </th>
              ))}
              <th scope="col">In use</th>
              <th scope="col">
                <span class="hidden">What to do</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {managers.map((manager) => (
              <Row key={manager.key} manager={manager} onAsk={setAsked} />
            ))}
          </tbody>
        </table>
      </div>
      {asked !== null && (
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

const tones = { answering: 'ok', quiet: '', reserved: '', unanswered: 'warn', 'not open': 'bad' } as const;

function Row({ manager, onAsk }: { readonly manager: ManagerView; readonly onAsk: (manager: ManagerView) => void }) {
  const { threadId, liveness, misses } = manager;
  return (
    <tr>
      <th scope="row">
        <Foreign text={threadId} />
        {manager.error !== null && <span class="trouble small">{shown(manager.error)}</span>}
      </th>
      <td data-label="Liveness">
        <span class={`badge ${tones[liveness]}`}>
          {liveness}
          {misses > 0 && ` (${counted(misses, 'miss', 'misses')})`}
        </span>
      </td>
      <Cell label="Age" ms={manager.ageMs} />
      <Cell label="Unused" ms={manager.idleMs} />
      <Cell label="Silent" ms={manager.silentMs} />
      <Cell label="Round trip" ms={manager.roundTripMs} />
      <td data-label="In use">{useOf(manager)}</td>
      <td class="row-act">
        <button type="button" class="small" aria-label={`Release ${shown(threadId)}`} onClick={() => onAsk(manager)}>
          Release
        </button>
      </td>
    </tr>
  );
}

function Cell({ label, ms }: { readonly label: string; readonly ms: number | null }) {
  return (
    <td data-label={label} class="number">
      {duration(ms)}
    </td>
  );
}

function useOf({ isHeld, isEngaged, hasSuccessor }: ManagerView): string {
  const words = [isHeld && 'held', isEngaged && !isHeld && 'engaged', hasSuccessor && 'being replaced'];
  return words.filter((word) => word !== false).join(', ') || 'no';
}
