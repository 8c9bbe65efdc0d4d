import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { count, ofLimit, percent } from '../../src/presentation/figures.js';
import type { ApiError } from './api.js';
import { shown } from './format.js';
import { hashOfUser } from './route.js';

/** What pages are made of. */

export const levels = ['normal', 'info', 'warning', 'critical', 'emergency'] as const;

export type Level = (typeof levels)[number];

export function LevelBadge({ level }: { readonly level: Level }) {
  return <span class={`badge level-${level}`}>{level}</span>;
}

/** Text from elsewhere: control characters made visible, and its direction isolated. */
export function Foreign({ text, class: name = '' }: { readonly text: string; readonly class?: string }) {
  return (
    <bdi class={`foreign ${name}`} title={shown(text)}>
      {shown(text)}
    </bdi>
  );
}

export function UserLink({ userId }: { readonly userId: string }) {
  return (
    <a class="user-link" href={hashOfUser(userId)}>
      <Foreign text={userId} />
    </a>
  );
}

interface ButtonProps {
  readonly isOff: boolean;
  readonly class?: string;
  /** The accessible name, if the text does not suffice. */
  readonly label?: string;
  readonly onClick: () => void;
  readonly children: ComponentChildren;
}

/** Uses `aria-disabled` and not `disabled`, which would lose the focus. */
export function Button({ isOff, class: name = '', label, onClick, children }: ButtonProps) {
  return (
    <button type="button" class={name} aria-label={label} aria-disabled={isOff} onClick={() => !isOff && onClick()}>
      {children}
    </button>
  );
}

interface CardProps {
  readonly title: string;
  readonly note?: ComponentChildren;
  readonly class?: string;
  readonly children: ComponentChildren;
}

export function Card({ title, note, class: name = '', children }: CardProps) {
  const id = useId();
  return (
    <section class={`card ${name}`} aria-labelledby={id}>
      <header class="card-head">
        <h2 id={id}>{title}</h2>
        {note !== undefined && <span class="note">{note}</span>}
      </header>
      {children}
    </section>
  );
}

/** Why a request failed, and what to try. */
export function Trouble({ problem }: { readonly problem: ApiError | null }) {
  if (problem === null || problem.status === 0) return null;
  return (
    <p class="trouble" role="alert">
      <strong>{shown(problem.message)}</strong> {problem.hint !== null && <span>{shown(problem.hint)}</span>}
    </p>
  );
}

/** Shown until the first answer. */
export function Pending({ problem }: { readonly problem: ApiError | null }) {
  if (problem !== null && problem.status !== 0) return null;
  return (
    <p class="note" role="status">
      {problem === null ? 'Loading …' : 'Nothing to show until the server answers.'}
    </p>
  );
}

/** How full a quota is, as text and as a bar. */
export function Usage({ used, limit, ratio, level }: UsageProps) {
  return (
    <span class="usage">
      <span class="usage-words">
        {count(used)} {ofLimit(limit)} {limit !== null && <span class="note">{percent(ratio)}</span>}
      </span>
      <Bar ratio={ratio} tone={`level-${level}`} />
    </span>
  );
}

interface UsageProps {
  readonly used: number;
  /** `null` where there is none. */
  readonly limit: number | null;
  readonly ratio: number;
  readonly level: Level;
}

/** A bar that screen readers skip. */
export function Bar({ ratio, tone = '' }: { readonly ratio: number; readonly tone?: string }) {
  const width = `${Math.min(100, Math.max(0, ratio * 100))}%`;
  return (
    <span class="bar" aria-hidden="true">
      <span class={`bar-fill ${tone}`} style={{ width }} />
    </span>
  );
}

interface DialogProps {
  readonly title: string;
  readonly act: string;
  readonly onAct: () => void;
  /** Runs a dry run, if there is one. */
  readonly onTry?: () => void;
  /** The user cancelled. */
  readonly onCancel?: () => void;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/**
 * A dialog before an action that cannot be undone. Escape closes it.
 *
 * Why a form: Enter in a field then starts the dry run if there is one, and never the action.
 */
export function ConfirmDialog({ title, act, onAct, onTry, onCancel, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    dialog.current?.showModal();
  }, []);
  /** Restores a focus that was lost, e.g. since a render removed the element that had it. */
  const keepFocus = ({ target, relatedTarget }: FocusEvent): void => {
    if (relatedTarget === null) setTimeout(() => focusAgain(dialog.current, target));
  };
  const closeAnd = (then?: () => void): void => {
    dialog.current?.close();
    then?.();
  };
  return (
    <dialog ref={dialog} aria-labelledby={id} onCancel={onCancel} onClose={onClose} onFocusOut={keepFocus}>
      <h2 id={id}>{title}</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (onTry !== undefined) closeAnd(onTry);
        }}
      >
        {children}
        <div class="buttons end">
          <button type="button" onClick={() => closeAnd(onCancel)}>
            Cancel
          </button>
          {onTry !== undefined && <button type="submit">Dry run</button>}
          <button type="button" class="danger" onClick={() => closeAnd(onAct)}>
            {act}
          </button>
        </div>
      </form>
    </dialog>
  );
}

/** Not while the focus is in the browser's own bars, which the keyboard must be able to reach. */
function focusAgain(dialog: HTMLDialogElement | null, last: EventTarget | null): void {
  if (dialog?.open !== true || !document.hasFocus() || document.activeElement !== document.body) return;
  const isThere = last instanceof HTMLElement && dialog.contains(last);
  (isThere ? last : dialog.querySelector<HTMLElement>('input, button'))?.focus();
}
