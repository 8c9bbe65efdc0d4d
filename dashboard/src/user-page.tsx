import { useState } from 'preact/hooks';
import type { ManagerView, Me, UserView } from '../../src/admin/schemas.js';
import { counted } from '../../src/presentation/figures.js';
import { release, useActing } from './acting.js';
import { Actions } from './actions.js';
import { pathOfUser, type ApiError } from './api.js';
import { shown } from './format.js';
import { Journal } from './journal.js';
import { Managers, ReleaseDialog } from './managers.js';
import { Card, Foreign, LevelBadge, Pending, Trouble, Usage } from './pieces.js';
import { usePoll } from './poll.js';
import { queryOf } from './route.js';

const everyMs = 2_000;

/** The scope of a token changes when the server restarts with other tokens. */
const meEveryMs = 10_000;

/** A user: managers, journal and actions. */
export function UserPage({ userId }: { readonly userId: string }) {
  const { data, problem, refresh } = usePoll<UserView>(pathOfUser(userId), everyMs);
  const isUnknown = problem?.status === 404;
  const user = data !== null && isUnknown ? emptied(data) : data;
  return (
    <>
      <p class="crumbs">
        <a href="#/users">Users</a>
      </p>
      <h1 class="user-title">
        <Foreign text={userId} />
      </h1>
      {isUnknown ? <Unknown userId={userId} problem={problem} /> : <Trouble problem={problem} />}
      {user === null ? <Pending problem={problem} /> : <Known user={user} onActed={refresh} />}
    </>
  );
}

/** A user whose last manager was just released, on a server without a journal. The outcome stays readable. */
function emptied(user: UserView): UserView {
  return { ...user, managers: [], managerCount: 0, usageRatio: 0, alertLevel: 'normal', waiting: 0 };
}

/** Not shown as an error: users leave, and their journal is dropped in the end. */
function Unknown({ userId, problem }: { readonly userId: string; readonly problem: ApiError }) {
  return (
    <div class="card" role="status">
      <p>{shown(problem.message)}</p>
      <p class="note">
        Ids are case-sensitive. <a href={`#/users?${queryOf({ search: userId })}`}>Search users for this id</a>
      </p>
    </div>
  );
}

function Known({ user, onActed }: { readonly user: UserView; readonly onActed: () => void }) {
  const [releasing, setReleasing] = useState<ManagerView | null>(null);
  const acting = useActing(onActed);
  const { data: me, problem } = usePoll<Me>('api/v1/me', meEveryMs);
  const mayAct = me?.scope === 'act';
  const releaseIt = (manager: ManagerView): void => {
    acting.outcomeRef.current?.focus({ preventScroll: true }); // the button that was pressed goes with its row
    acting.run('Release', () => release(manager));
  };
  return (
    <>
      <p class="user-usage">
        <Usage used={user.managerCount} limit={user.maxManagers} ratio={user.usageRatio} level={user.alertLevel} />
        <LevelBadge level={user.alertLevel} />
        {user.waiting > 0 && <span class="badge bad">{counted(user.waiting, 'newcomer')} waiting</span>}
        <a href={`#/events?${queryOf({ user: user.userId })}`}>Watch events</a>
      </p>
      {me === null && <Trouble problem={problem} />}
      {mayAct && <Actions user={user} acting={acting} />}
      {me?.scope === 'read' && <p class="note">Your token may read, and not act. To act, sign in with another one.</p>}
      <Card title="Managers" note={counted(user.managers.length, 'manager')}>
        {user.managers.length === 0 ? (
          <p class="note">This user holds nothing now.</p>
        ) : (
          <Managers managers={user.managers} onRelease={mayAct ? setReleasing : null} isRunning={acting.isRunning} />
        )}
      </Card>
      {releasing !== null && (
        <ReleaseDialog manager={releasing} onRelease={() => releaseIt(releasing)} onClose={() => setReleasing(null)} />
      )}
      <Journal userId={user.userId} />
    </>
  );
}
