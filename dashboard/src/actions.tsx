import { useState } from 'preact/hooks';
import type { CleanupView, ManagerView, UserView } from '../../src/admin/schemas.js';
import { count, counted } from '../../src/presentation/figures.js';
import { post, releaseAll, type Acting } from './acting.js';
import { OutcomeText } from './outcome.js';
import { Button, Card, ConfirmDialog } from './pieces.js';

interface ActionsProps {
  readonly user: UserView;
  readonly acting: Acting;
}

type Confirming = 'check' | 'cleanup' | 'emergency' | 'release-all';

/** Requests a cleanup. @param onDone called unless the request failed */
type Clean = (name: string, request: CleanupCall, onDone?: () => void) => void;

interface CleanupCall {
  readonly path: 'cleanup' | 'emergency-cleanup';
  readonly body: object;
}

/** The buttons of a user's page, and the outcome of the last action. */
export function Actions({ user, acting: { outcome, isRunning, outcomeRef, run } }: ActionsProps) {
  const { userId } = user;
  const [confirming, setConfirming] = useState<Confirming | null>(null);
  const [evict, setEvict] = useState(0);
  const clean: Clean = (name, { path, body }, onDone) =>
    run(name, async () => {
      const result = await post<CleanupView>(userId, path, body);
      onDone?.();
      return { kind: 'cleaned', name, result };
    });
  return (
    <Card title="Actions">
      <Buttons isRunning={isRunning} onClean={clean} onConfirm={setConfirming} />
      <div class="outcome" role="status" ref={outcomeRef} tabIndex={-1}>
        {outcome !== null && <OutcomeText outcome={outcome} />}
      </div>
      {confirming !== null && (
        <Question
          confirming={confirming}
          user={user}
          evict={evict}
          onEvict={setEvict}
          onCheck={() =>
            run('Check and act', async () => ({ kind: 'checked', resources: await post(userId, 'check') }))
          }
          onClean={clean}
          onReleaseAll={() => run('Release all', () => releaseAll(userId))}
          onClose={() => setConfirming(null)}
        />
      )}
    </Card>
  );
}

interface QuestionProps {
  readonly confirming: Confirming;
  readonly user: UserView;
  /** How many managers to evict. Kept from a dry run to the cleanup after it, and after a cleanup that failed. */
  readonly evict: number;
  readonly onEvict: (evict: number) => void;
  readonly onCheck: () => void;
  readonly onClean: Clean;
  readonly onReleaseAll: () => void;
  readonly onClose: () => void;
}

/** The dialog before an action that closes connections. */
function Question(props: QuestionProps) {
  const { confirming, user, onCheck, onClean, onReleaseAll, onClose } = props;
  switch (confirming) {
    case 'check':
      return (
        <ConfirmDialog title="Check this user and act?" act="Check and act" onAct={onCheck} onClose={onClose}>
          <p>
            As after an admission: if the level has risen, its cleanup starts. It releases connections that are dead,
            abandoned or failed, and evicts if the setting forcedEviction says so.
          </p>
        </ConfirmDialog>
      );
    case 'cleanup':
      return (
        <ConfirmDialog
          title="Clean up this user?"
          act="Clean up"
          onClose={onClose}
          onAct={() => onClean('Cleanup', { path: 'cleanup', body: {} })}
        >
          <p>Each connection is pinged. Those that are dead, suspect (no answer), abandoned or failed are released.</p>
        </ConfirmDialog>
      );
    case 'emergency':
      return <EmergencyQuestion {...props} />;
    case 'release-all':
      return (
        <ConfirmDialog title="Release everything?" act="Release all" onAct={onReleaseAll} onClose={onClose}>
          <p>{everything(user.managers)}</p>
        </ConfirmDialog>
      );
  }
}

/** Offers a dry run first. The number to evict is kept for the cleanup after it. */
function EmergencyQuestion({ evict, onEvict, onClean, onClose }: QuestionProps) {
  const body = evict > 0 ? { evict } : {};
  const forget = (): void => onEvict(0);
  const onAct = (): void => onClean('Emergency cleanup', { path: 'emergency-cleanup', body }, forget);
  const tried = evict > 0 ? `Emergency dry run, evicting up to ${count(evict)}` : 'Emergency dry run';
  const onTry = (): void => onClean(tried, { path: 'emergency-cleanup', body: { ...body, dryRun: true } });
  return (
    <ConfirmDialog
      title="Emergency cleanup?"
      act="Clean up now"
      onAct={onAct}
      onTry={onTry}
      onCancel={forget}
      onClose={onClose}
    >
      <p>
        As a cleanup, with the shorter idle limits of an emergency. No connection that answers and is in use is closed.
      </p>
      <Evict value={evict} onValue={onEvict} />
    </ConfirmDialog>
  );
}

function everything(managers: readonly ManagerView[]): string {
  const engaged = managers.filter(({ isEngaged }) => isEngaged).length;
  const inUse = engaged === 0 ? 'None of them is in use.' : `${counted(engaged, 'of them is', 'of them are')} in use.`;
  return `All connections of this user, ${counted(managers.length, 'manager')} now, are closed at once. ${inUse}`;
}

function Evict({ value, onValue }: { readonly value: number; readonly onValue: (value: number) => void }) {
  return (
    <label>
      Also evict up to this many that are not in use
      <input
        type="number"
        min={0}
        max={1_000_000}
        step={1}
        inputMode="numeric"
        value={value}
        onInput={({ currentTarget }) => onValue(Math.max(0, Math.trunc(currentTarget.valueAsNumber || 0)))}
      />
    </label>
  );
}

interface ButtonsProps {
  readonly isRunning: boolean;
  readonly onClean: Clean;
  readonly onConfirm: (what: Confirming) => void;
}

function Buttons({ isRunning, onClean, onConfirm }: ButtonsProps) {
  return (
    <div class="buttons">
      <Button isOff={isRunning} onClick={() => onConfirm('check')}>
        Check and act …
      </Button>
      <Button isOff={isRunning} onClick={() => onClean('Dry run', { path: 'cleanup', body: { dryRun: true } })}>
        Dry run
      </Button>
      <Button isOff={isRunning} class="primary" onClick={() => onConfirm('cleanup')}>
        Clean up …
      </Button>
      <Button
        isOff={isRunning}
        onClick={() => onClean('Emergency dry run', { path: 'emergency-cleanup', body: { dryRun: true } })}
      >
        Emergency dry run
      </Button>
      <Button isOff={isRunning} class="danger" onClick={() => onConfirm('emergency')}>
        Emergency cleanup …
      </Button>
      <Button isOff={isRunning} class="danger" onClick={() => onConfirm('release-all')}>
        Release all …
      </Button>
    </div>
  );
}
