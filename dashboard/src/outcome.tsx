import type { CleanupView } from '../../src/admin/schemas.js';
import { count, counted, duration, ofLimit } from '../../src/presentation/figures.js';
import { reasonOf, totalOf } from '../../src/presentation/releases.js';
import type { ApiError } from './api.js';
import { shown } from './format.js';
import { Foreign, LevelBadge, type Level } from './pieces.js';

interface Resources {
  readonly managerCount: number;
  readonly maxManagers: number | null;
  readonly alertLevel: Level;
}

/** The outcome of an action. */
export type Outcome =
  | { readonly kind: 'running'; readonly name: string }
  | { readonly kind: 'failed'; readonly name: string; readonly error: ApiError }
  | { readonly kind: 'checked'; readonly resources: Resources }
  | { readonly kind: 'cleaned'; readonly name: string; readonly result: CleanupView }
  | { readonly kind: 'released'; readonly threadId: string; readonly released: number }
  | { readonly kind: 'released-all'; readonly released: number };

export function OutcomeText({ outcome }: { readonly outcome: Outcome }) {
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
          <strong>Check and act:</strong> {count(outcome.resources.managerCount)}{' '}
          {ofLimit(outcome.resources.maxManagers)} <LevelBadge level={outcome.resources.alertLevel} />
        </p>
      );
    case 'released':
      return (
        <p>
          <strong>Release:</strong> <Foreign text={outcome.threadId} />{' '}
          {outcome.released > 0 ? 'is released.' : 'was gone already.'}
        </p>
      );
    case 'released-all':
      return (
        <p>
          <strong>Release all:</strong> {counted(outcome.released, 'manager')} released.
        </p>
      );
    case 'cleaned':
      return <Cleaned name={outcome.name} result={outcome.result} />;
  }
}

function Cleaned({ name, result }: { readonly name: string; readonly result: CleanupView }) {
  const { dryRun, cleaned, chosen, byStrategy, remaining, durationMs, timedOut } = result;
  const what = dryRun
    ? `${counted(totalOf(byStrategy), 'manager')} would be released`
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
