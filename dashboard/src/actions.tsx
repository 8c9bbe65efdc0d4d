import { useEffect, useState } from 'preact/hooks';
import type { CleanupView, ManagerView } from '../../src/admin/schemas.js';
import { actsWithinMs, ApiError, ask, pathOfUser } from './api.js';
import { count, counted, duration, shown } from './format.js';
import { Card, ConfirmDialog, Foreign, LevelBadge, type Level } from './pieces.js';
import { reasonOf } from './sentences.js';

/** What `check` answers. */
interface Resources {
  readonly managerCount: number;
  readonly maxManagers: number;
  readonly alertLevel: Level;
}

/** What came of an action. */
type Outcome =
  | { readonly kind: 'running'; readonly name: string }
  | { readonly kind: 'failed'; readonly name: string; readonly error: ApiError }
  | { readonly kind: 'checked'; readonly resources: Resources }
  | { readonly kind: 'cleaned'; readonly name: string; readonly result: CleanupView }
  | { readonly kind: 'released'; readonly threadId: string; readonly released: number };

interface ActionsProps {
  readonly userId: string;
  /** A manager somebody wants to have released. */
  readonly released: ManagerView | null;
  readonly onActed: () => void;
}

type Confirming = 'cleanup' | 'emergency';

/** The buttons of a user's page, and what came of the last one. */
export function Actions({ userId, released, onActed }: ActionsProps) {
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [confirming, setConfirming] = useState<Confirming | null>(null);
  const [evict, setEvict] = useState(0);
  const run = async (name: string, act: () => Promise<Outcome>): Promise<void> => {
    setOutcome({ kind: 'running', name });
    setOutcome(await outcomeOf(name, act));
    onActed();
  };
  const clean = (name: string, path: string, body: object): void => {
    void run(name, async () => ({ kind: 'cleaned', name, result: await post(userId, path, body) }));
  };
  useEffect(() => {
    if (released !== null) void run('Release', () => release(released));
  }, [released]);
  return (
    <Card title="Act">
      <Buttons
        isRunning={outcome?.kind === 'running'}
        onCheck={() => void run('Check', async () => ({ kind: 'checked', resources: await post(userId, 'check') }))}
        onClean={clean}
        onConfirm={setConfirming}
      />
      <div class="outcome" role="status" aria-live="polite">
        {outcome !== null && <Told outcome={outcome} />}
      </div>
      {confirming === 'cleanup' && (
        <ConfirmDialog
          {...{ title: 'Clean up this user?', act: 'Clean up' }}
          onAct={() => clean('Cleanup', 'cleanup', {})}
          onClose={() => setConfirming(null)}
        >
          <p>Each connection is asked whether it is there. The dead, the abandoned and the failed are released.</p>
        </ConfirmDialog>
      )}
      {confirming === 'emergency' && (
        <ConfirmDialog
          {...{ title: 'Emergency cleanup?', act: 'Clean up now' }}
          onAct={() => clean('Emergency cleanup', 'emergency-cleanup', evict > 0 ? { evict } : {})}
          onClose={() => setConfirming(null)}
        >
          <p>The same as a cleanup, with the patience of an emergency. Nothing in use is closed.</p>
          <Evict value={evict} onValue={setEvict} />
        </ConfirmDialog>
      )}
    </Card>
  );
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
      <button type="button" disabled={isRunning} onClick={onCheck}>
        Check
      </button>
      <button type="button" disabled={isRunning} onClick={() => onClean('Dry run', 'cleanup', { dryRun: true })}>
        Dry run
      </button>
      <button type="button" disabled={isRunning} class="primary" onClick={() => onConfirm('cleanup')}>
        Clean up …
      </button>
      <button
        {...{ type: 'button', disabled: isRunning }}
        onClick={() => onClean('Emergency dry run', 'emergency-cleanup', { dryRun: true })}
      >
        Emergency dry run
      </button>
      <button type="button" disabled={isRunning} class="danger" onClick={() => onConfirm('emergency')}>
        Emergency cleanup …
      </button>
    </div>
  );
}

function post<T>(userId: string, path: string, body?: object): Promise<T> {
  return ask<T>(`${pathOfUser(userId)}/${path}`, { method: 'POST', timeoutMs: actsWithinMs, body });
}

async function release({ key, threadId }: ManagerView): Promise<Outcome> {
  const path = `api/v1/managers/${encodeURIComponent(key)}`;
  const { released } = await ask<{ released: number }>(path, { method: 'DELETE', timeoutMs: actsWithinMs });
  return { kind: 'released', threadId, released };
}

async function outcomeOf(name: string, act: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await act();
  } catch (error) {
    return { kind: 'failed', name, error: error instanceof ApiError ? error : new ApiError(0, String(error)) };
  }
}

function Told({ outcome }: { readonly outcome: Outcome }) {
  switch (outcome.kind) {
    case 'running':
      return <p>{outcome.name} is running …</p>;
    case 'failed':
      return (
        <p class="trouble">
          <strong>{outcome.name} failed.</strong> {shown(outcome.error.message)} {shown(outcome.error.hint ?? '')}
        </p>
      );
    case 'checked':
      return (
        <p>
          <strong>Check:</strong> {count(outcome.resources.managerCount)} of {count(outcome.resources.maxManagers)}{' '}
          <LevelBadge level={outcome.resources.alertLevel} />
        </p>
      );
    case 'released':
      return (
        <p>
          <strong>Release:</strong> <Foreign text={outcome.threadId} />{' '}
          {outcome.released > 0 ? 'is released.' : 'was gone already.'}
        </p>
      );
    case 'cleaned':
      return <Cleaned name={outcome.name} result={outcome.result} />;
  }
}

function Cleaned({ name, result }: { readonly name: string; readonly result: CleanupView }) {
  const { dryRun, cleaned, chosen, remaining, durationMs, timedOut } = result;
  const what = dryRun
    ? `${counted(chosen.length, 'manager')} would be released`
    : `${counted(cleaned, 'manager')} released`;
  return (
    <>
      <p>
        <strong>{name}:</strong> {what}, {count(remaining)} left. It took {duration(durationMs)}
        {timedOut && ', and ran out of time'}.
      </p>
      {chosen.length > 0 && (
        <ul class="chosen">
          {chosen.map((one) => (
            <li key={one.key}>
              <Foreign text={one.threadId} /> – {reasonOf(one)}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
