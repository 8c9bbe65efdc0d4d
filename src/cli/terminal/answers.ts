import type {
  CleanupView,
  ConfigView,
  JournalView,
  KpisView,
  ManagerView,
  Overview,
  ReleasedView,
  UserPage,
  UserResources,
  UserSummary,
  UserView,
} from '../../admin/schemas.js';
import { isAtLeast } from '../../core/pressure/level.js';
import { alertLevels } from '../../core/vocabulary.js';
import { bytes, count, counted, duration, timeOf } from '../../presentation/figures.js';
import { inert } from '../../presentation/inert.js';
import { outlookOf, reasonOf, totalOf } from '../../presentation/releases.js';
import { sentenceOf } from '../../presentation/sentences.js';
import { kpiTable, wordsOf } from './kpi-table.js';
import { levelColours, type Colour, type Paint } from './paint.js';
import { settingsTable } from './settings-table.js';
import { aligned } from './table.js';

/** An answer of the server as a command prints it. */
export interface Output {
  readonly text: string;
  /** Whether the command exits with 1, so that a script notices. */
  readonly hasTrouble: boolean;
}

/** Puts an answer into words. @param columns the width of the terminal; Infinity if it is none */
export type Tell<T> = (answer: T, paint: Paint, columns: number) => Output;

/** `mooring check --act`: how full the quota of a user is. */
export function tellUsage(usage: UserResources, paint: Paint): Output {
  const { userId, alertLevel } = usage;
  const ratio = usage.maxManagers === null ? '' : ` (${ratioOf(usage)})`;
  const text = `${paint('bold', inert(userId))}: ${heldOf(usage)}${ratio}, ${paint(levelColours[alertLevel], alertLevel)}\n`;
  return { text, hasTrouble: isAtLeast(alertLevel, 'warning') };
}

/** `12 of 20`; `12, no limit`; `12 of 20, 15 in all processes` */
function heldOf({ managerCount, maxManagers, total }: UserResources): string {
  const everywhere = total === undefined ? '' : `, ${String(total)} in all processes`;
  return `${String(managerCount)}${maxManagers === null ? ', no limit' : ` of ${String(maxManagers)}`}${everywhere}`;
}

/** `60 %`; `-` without a limit */
function ratioOf({ maxManagers, usageRatio }: UserResources): string {
  return maxManagers === null ? '-' : `${(usageRatio * 100).toFixed(0)} %`;
}

/** `mooring check`: the same, and each manager of the user. */
export function tellUser(user: UserView, paint: Paint, columns = Infinity): Output {
  const { text, hasTrouble } = tellUsage(user, paint);
  const waiting = user.waiting === 0 ? '' : `${String(user.waiting)} waiting for a place\n`;
  if (user.managers.length === 0)
    return { text: `${text}${waiting}mooring explain says what became of their connections\n`, hasTrouble };
  const header = ['thread', 'age', 'idle', 'silent', 'liveness', 'held', 'engaged', 'error'];
  const table = aligned([header, ...user.managers.map((manager) => managerRow(manager, paint))], columns);
  const suspects = user.managers.flatMap(({ threadId, suspect }) =>
    suspect === null ? [] : [{ threadId, ...suspect }],
  );
  const lines = suspectLines(suspects, paint);
  return { text: `${text}${waiting}\n${table}\n${lines && `\n${lines}`}`, hasTrouble };
}

const livenessColours: Readonly<Partial<Record<ManagerView['liveness'], Colour>>> = {
  unanswered: 'red',
  'not open': 'red',
  suspect: 'yellow',
};

function managerRow(manager: ManagerView, paint: Paint): string[] {
  const { threadId, ageMs, idleMs, silentMs, liveness, isHeld, isEngaged, error } = manager;
  const colour = livenessColours[liveness];
  return [
    inert(threadId),
    duration(ageMs),
    duration(idleMs),
    silentMs === null ? '-' : duration(silentMs),
    colour === undefined ? liveness : paint(colour, liveness),
    isHeld ? 'yes' : 'no',
    isEngaged ? 'yes' : 'no',
    error === null ? '' : inert(error),
  ];
}

/** A line for each suspect: how long it has not answered, and what happens to it next. Empty without any. */
function suspectLines(suspects: JournalView['suspects'], paint: Paint): string {
  if (suspects.length === 0) return '';
  const rows = suspects.map((each) => [inert(each.threadId), `${paint('yellow', 'suspect')}: ${outlookOf(each)}`]);
  return `${aligned(rows)}\n`;
}

/** `mooring users` */
export function tellUsers({ users, total }: UserPage, paint: Paint, columns = Infinity): Output {
  if (users.length === 0) return { text: 'no users\n', hasTrouble: false };
  const more = users.length < total ? `\n${String(users.length)} of ${String(total)}; --all shows all\n` : '';
  return { text: `${userTable(users, paint, columns)}\n${more}`, hasTrouble: false };
}

/** A line for each user. @param columns long ids are cut to fit */
function userTable(users: readonly UserSummary[], paint: Paint, columns: number): string {
  const header = ['user', 'managers', 'usage', 'level', 'held', 'suspects', 'waiting', 'idle', 'longest idle'];
  const rows = users.map((user) => [
    inert(user.userId),
    heldOf(user),
    ratioOf(user),
    paint(levelColours[user.alertLevel], user.alertLevel),
    String(user.held),
    String(user.suspects),
    String(user.waiting),
    duration(user.idleMs),
    duration(user.longestIdleMs),
  ]);
  return aligned([header, ...rows], columns);
}

/** `mooring cleanup`: which managers are released, or would be, and why. */
export function tellCleanup(view: CleanupView, paint: Paint): Output {
  const { userId, dryRun, chosen, cleaned, remaining, durationMs, timedOut, byStrategy } = view;
  const rows = chosen.map((each) => [`  ${inert(each.threadId)}`, inert(each.strategy), reasonOf(each)]);
  const released = dryRun ? `${String(totalOf(byStrategy))} would be released` : `${String(cleaned)} released`;
  const tally = Object.entries(byStrategy).flatMap(([name, number]) =>
    number > 0 ? [inert(`${name} ${String(number)}`)] : [],
  );
  const totals = tally.length === 0 ? '' : ` (${tally.join(', ')})`;
  const late = timedOut ? paint('red', '; there was not enough time') : '';
  const head = `${paint('bold', inert(userId))}: ${released}${totals}, ${String(remaining)} left, in ${duration(durationMs)}${late}`;
  return { text: rows.length === 0 ? `${head}\n` : `${head}\n${aligned(rows)}\n`, hasTrouble: timedOut };
}

/** `mooring release`: how many managers were released. */
export function tellReleased({ released }: ReleasedView): Output {
  return { text: `${String(released)} released\n`, hasTrouble: released === 0 };
}

/** `mooring explain`: the journal of a user, with the last disconnection first. @param isPart whether entries were left out */
export function tellJournal({ userId, isKept, entries, suspects }: JournalView, paint: Paint, isPart = false): Output {
  const present = suspectLines(suspects, paint);
  if (!isKept) {
    const text = `This server keeps no journal; the setting journalBytes gives it room.\n${present}`;
    return { text, hasTrouble: true };
  }
  const last = entries.findLast(({ type }) => type === 'manager.released');
  const never = isPart ? 'not disconnected since then' : 'never disconnected, as far as is known';
  const answer = last === undefined ? never : `last disconnected ${momentOf(last)}`;
  const lines = [`${paint('bold', inert(userId))}: ${answer}`, ...(present === '' ? [] : ['', present.trimEnd()])];
  let date = '';
  for (const entry of entries) {
    const at = new Date(entry.at);
    if (dateOf(at) !== date) lines.push('', paint('dim', `${(date = dateOf(at))} ${zoneOf(at)}`));
    const sentence = sentenceOf(entry).text;
    lines.push(`${timeOf(at)}  ${entry.type === 'manager.released' ? paint('yellow', sentence) : sentence}`);
  }
  return { text: `${lines.join('\n')}\n`, hasTrouble: false };
}

function momentOf(entry: JournalView['entries'][number]): string {
  const at = new Date(entry.at);
  return `${dateOf(at)} ${timeOf(at)} ${zoneOf(at)}: ${sentenceOf(entry).text}`;
}

/** The local date: `2026-11-25`. */
function dateOf(at: Date): string {
  const parts = [at.getFullYear(), at.getMonth() + 1, at.getDate()];
  return parts.map((part) => String(part).padStart(2, '0')).join('-');
}

/** The local zone at that time: `UTC+01:00` */
function zoneOf(at: Date): string {
  const minutes = -at.getTimezoneOffset();
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? '-' : '+'}${String(hours).padStart(2, '0')}:${String(rest).padStart(2, '0')}`;
}

/** `mooring kpis`: the success metrics, and the numbers they are made of. */
export function tellKpis(view: KpisView, paint: Paint): Output {
  const rows = view.kpis.flatMap(({ number, name, samples, detail }) => {
    const parts = Object.entries(detail).map(([part, value]) => kpiPart(part, value));
    return samples === 0 || parts.length === 0 ? [] : [[String(number), wordsOf(name), inert(parts.join(', '))]];
  });
  const details = rows.length === 0 ? '' : `\n${aligned(rows)}\n`;
  const hasTrouble = view.kpis.some(({ verdict }) => verdict === 'fail');
  return { text: `${kpiTable(view, paint)}${details}`, hasTrouble };
}

/** `longest 1.2 s`, `timed out 0` */
function kpiPart(name: string, value: number): string {
  return name.endsWith('Ms') ? `${wordsOf(name.slice(0, -2))} ${duration(value)}` : `${wordsOf(name)} ${count(value)}`;
}

/** `mooring config`: each setting as it is written outside code, its value and its source. */
export function tellConfig({ environment, settings }: ConfigView): Output {
  const rows = Object.entries(settings).map(([name, { written, source }]) => [
    // As `outsideName` does it; a newer server may have settings that are unknown here.
    inert(name.replace(/Ms$/, '')),
    inert(written),
    inert(source ?? '-'),
  ]);
  return { text: settingsTable(inert(environment ?? 'none'), rows), hasTrouble: false };
}

/** What `mooring top` shows. */
export interface Scene {
  readonly overview: Overview;
  readonly users: UserPage;
}

/** `mooring top`: the server at a glance, and its fullest users. */
export function tellScene({ overview, users }: Scene, paint: Paint, columns = Infinity): Output {
  const { version, uptimeMs, isDraining, managers, connections, waiting, limits, totals, usersByLevel } = overview;
  const { suspects, unsentBytes } = overview;
  const ledger: Overview['ledger'] | undefined = overview.ledger; // another version may not tell it
  const levels = alertLevels.map((level) => paint(levelColours[level], `${level} ${String(usersByLevel[level])}`));
  const lines = [
    `${paint('bold', `Mooring ${inert(version)}`)}, up for ${duration(uptimeMs)}${isDraining ? paint('red', ', draining') : ''}`,
    `${String(managers)} managers${limits.total === null ? '' : ` of ${String(limits.total)}`}, ${String(connections)} connected, ${String(waiting)} waiting`,
    `${counted(suspects, 'suspect')}, ${bytes(unsentBytes.sum)} unsent, at most ${bytes(unsentBytes.largest)} of them to one connection`,
    `${String(totals.admitted)} admitted, ${String(totals.takenOver)} took over, ${sum(totals.refused)} refused, ${sum(totals.released)} released, ${sum(totals.cleaned)} of them by cleanups`,
    `${counted(overview.users, 'user')}: ${levels.join(', ')}`,
    ...(ledger ? [ledgerLine(ledger, paint)] : []),
  ];
  const table = users.users.length === 0 ? '' : `\n${userTable(users.users, paint, columns)}\n`;
  return { text: `${lines.join('\n')}\n${table}`, hasTrouble: false };
}

function ledgerLine({ state, reason, forMs }: NonNullable<Overview['ledger']>, paint: Paint): string {
  const words = state === 'up' ? 'up' : paint(state === 'down' ? 'red' : 'yellow', inert(state));
  return `shared quota ${words} for ${duration(forMs)}${reason === null ? '' : `: ${inert(reason)}`}`;
}

/** A hostile server may send anything else as a count. */
function sum(counts: Readonly<Record<string, unknown>>): string {
  const numbers = Object.values(counts).filter((value) => typeof value === 'number');
  return String(numbers.reduce((total, number) => total + number, 0));
}
