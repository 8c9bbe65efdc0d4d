import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { CleanupView, ManagerView, UserView } from '../../src/admin/schemas.js';
import { actsWithinMs, ApiError, ask, pathOfUser } from './api.js';
import { count, counted } from './format.js';
import { OutcomeText, type Outcome } from './outcome.js';
import { Card, ConfirmDialog } from './pieces.js';

/** A manager somebody wants to have released; a new object each time they do. */
export interface Releasing {
  readonly manager: ManagerView;
}

interface ActionsProps {
  readonly user: UserView;
  readonly releasing: Releasing | null;
  readonly onActed: () => void;
}

type Confirming = 'cleanup' | 'emergency' | 'release-all';

/** The buttons of a user's page, and what came of the last one. */
export function Actions({ user, releasing, onActed }: ActionsProps) {
  const { userId } = user;
  const { outcome, run, place } = useOutcome(onActed);
  const [confirming, setConfirming] = useState<Confirming | null>(null);
  const [evict, setEvict] = useState(0);
  const clean = (name: string, path: string, body: object): void =>
    run(name, async () => ({ kind: 'cleaned', name, result: await post<CleanupView>(userId, path, body) }));
  useEffect(() => {
    if (releasing === null) return;
    place.current?.focus({ preventScroll: true }); // the button that was pressed goes with its row
    run('Release', () => release(releasing.manager));
  }, [releasing]);
  return (
    <Card title="Actions">
      <Buttons
        isRunning={outcome?.kind === 'running'}
        onCheck={() => run('Check', async () => ({ kind: 'checked', resources: await post(userId, 'check') }))}
        onClean={clean}
        onConfirm={setConfirming}
      />
      <div class="outcome" role="status" ref={place} tabIndex={-1}>
        {outcome !== null && <OutcomeText outcome={outcome} />}
      </div>
      {confirming !== null && (
        <Question
          {...{ confirming, user, evict, onEvict: setEvict }}
          onClean={clean}
          onReleaseAll={() => run('Release all', () => releaseAll(userId))}
          onClose={() => setConfirming(null)}
        />
      )}
    </Card>
  );
}

/** What came of the last action, one at a time. */
function useOutcome(onActed: () => void) {
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const place = useRef<HTMLDivElement>(null);
  const isRunning = useRef(false);
  const act = async (name: string, action: () => Promise<Outcome>): Promise<void> => {
    isRunning.current = true;
    setOutcome({ kind: 'running', name });
    setOutcome(await outcomeOf(name, action));
    isRunning.current = false;
    onActed();
  };
  const run = (name: string, action: () => Promise<Outcome>): void => {
    if (!isRunning.current) void act(name, action);
  };
  return { outcome, run, place };
}

interface QuestionProps {
  readonly confirming: Confirming;
  readonly user: UserView;
  /** How many to evict beyond those that are gone: kept from a dry run to what is done then. */
  readonly evict: number;
  readonly onEvict: (evict: number) => void;
  readonly onClean: (name: string, path: string, body: object) => void;
  readonly onReleaseAll: () => void;
  readonly onClose: () => void;
}

/** Asks before somebody is released. */
function Question(props: QuestionProps) {
  const { confirming, user, onClean, onReleaseAll, onClose } = props;
  switch (confirming) {
    case 'cleanup':
      return (
        <ConfirmDialog
          {...{ title: 'Clean up this user?', act: 'Clean up', onClose }}
          onAct={() => onClean('Cleanup', 'cleanup', {})}
        >
          <p>Each connection is asked whether it is there. The dead, the abandoned and the failed are released.</p>
        </ConfirmDialog>
      );
    case 'emergency':
      return <EmergencyQuestion {...props} />;
    case 'release-all':
      return (
        <ConfirmDialog {...{ title: 'Release everything?', act: 'Release all', onAct: onReleaseAll, onClose }}>
          <p>{everything(user.managers)}</p>
        </ConfirmDialog>
      );
  }
}

/** Can be tried first, as it evicts as many as one says; the number then has to be said once only. */
function EmergencyQuestion({ evict, onEvict, onClean, onClose }: QuestionProps) {
  const body = evict > 0 ? { evict } : {};
  const onAct = (): void => {
    onClean('Emergency cleanup', 'emergency-cleanup', body);
    onEvict(0);
  };
  const tried = evict > 0 ? `Emergency dry run, evicting up to ${count(evict)}` : 'Emergency dry run';
  const onTry = (): void => onClean(tried, 'emergency-cleanup', { ...body, dryRun: true });
  return (
    <ConfirmDialog {...{ title: 'Emergency cleanup?', act: 'Clean up now', onAct, onTry, onClose }}>
      <p>The same as a cleanup, with the patience of an emergency. Nothing in use is closed.</p>
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
        {...{ type: 'number', min: 0, max: 1_000_000, step: 1, inputMode: 'numeric' }}
        value={value}
        onInput={({ currentTarget }) => onValue(Math.max(0, Math.trunc(currentTarget.valueAsNumber || 0)))}
      />
    </label>
  );
}

interface ButtonsProps {
  readonly isRunning: boolean;
  readonly onCheck: () => void;
  readonly onClean: (name: string, path: string, body: object) => void;
  readonly onConfirm: (what: Confirming) => void;
}

function Buttons({ isRunning, onCheck, onClean, onConfirm }: ButtonsProps) {
  return (
    <div class="buttons">
      <Button isRunning={isRunning} onClick={onCheck}>
        Check
      </Button>
      <Button isRunning={isRunning} onClick={() => onClean('Dry run', 'cleanup', { dryRun: true })}>
        Dry run
      </Button>
      <Button isRunning={isRunning} class="primary" onClick={() => onConfirm('cleanup')}>
        Clean up …
      </Button>
      <Button isRunning={isRunning} onClick={() => onClean('Emergency dry run', 'emergency-cleanup', { dryRun: true })}>
        Emergency dry run
      </Button>
      <Button isRunning={isRunning} class="danger" onClick={() => onConfirm('emergency')}>
        Emergency cleanup …
      </Button>
      <Button isRunning={isRunning} class="danger" onClick={() => onConfirm('release-all')}>
        Release all …
      </Button>
    </div>
  );
}

interface ButtonProps {
  readonly isRunning: boolean;
  readonly class?: string;
  readonly onClick: () => void;
  readonly children: ComponentChildren;
}

/** Out of order while something runs, and not `disabled`: that would throw the focus away. */
function Button({ isRunning, class: name = '', onClick, children }: ButtonProps) {
  return (
    <button type="button" class={name} aria-disabled={isRunning} onClick={() => !isRunning && onClick()}>
      {children}
    </button>
  );
}

function post<T>(userId: string, path: string, body?: object): Promise<T> {
  return ask<T>(`${pathOfUser(userId)}/${path}`, { method: 'POST', timeoutMs: actsWithinMs, body });
}

function remove(path: string): Promise<{ readonly released: number }> {
  return ask(path, { method: 'DELETE', timeoutMs: actsWithinMs });
}

async function release({ key, threadId }: ManagerView): Promise<Outcome> {
  const { released } = await remove(`api/v1/managers/${encodeURIComponent(key)}`);
  return { kind: 'released', threadId, released };
}

async function releaseAll(userId: string): Promise<Outcome> {
  const { released } = await remove(`${pathOfUser(userId)}/managers`);
  return { kind: 'released-all', released };
}

async function outcomeOf(name: string, act: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await act();
  } catch (error) {
    return { kind: 'failed', name, error: error instanceof ApiError ? error : new ApiError(0, String(error)) };
  }
}
