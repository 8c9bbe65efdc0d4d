import { ConfigurationError } from '../../core/errors.js';
import type { LoadedConfig } from '../../config/load-config.js';
import { compareDay, simulateDay, type DayOptions, type DayReport } from '../../simulation/day.js';
import { EscapedError } from '../../simulation/escape.js';
import type { LeakReport } from '../../simulation/leaks.js';
import { comparisonOf, tableOf } from '../terminal/day-table.js';
import { count } from '../../presentation/figures.js';
import { loadFlags } from './load-flags.js';
import { showProgress } from '../terminal/progress.js';
import { dayCommand } from './replay-command.js';
import type { DayFlags } from './simulate-flags.js';
import { sentenceOf } from './simulate-script.js';
import { exitOnStopSignals } from '../terminal/stop-signals.js';

/** Said of a day about which no metric says anything. */
const nobodyCame = 'Nobody wanted in; simulate more users, or more hours: the day begins at its quietest hour.';

/** Lives through a day and prints how it went. A day that fails, or in which nobody came, ends with 1. */
export async function runDay(flags: DayFlags): Promise<void> {
  const loaded = loadFlags({ ...flags, env: flags.env ?? 'production' });
  const replay = `Replay it with: ${dayCommand(flags, loaded.sources)}`;
  const forget = exitOnStopSignals(
    () => {
      showProgress('');
    },
    (code) => process.exit(code),
  );
  try {
    const { report, leaks } = await liveThrough(flags, loaded);
    const remarks = remarksOn(report, replay);
    process.exitCode = remarks.length === 0 ? 0 : 1;
    print({ report, leaks, remarks }, flags.json === true);
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    showProgress('');
    process.exitCode = 1;
    process.stderr.write(`${failureOf(error)}\n${replay}\n`);
  } finally {
    forget();
  }
}

interface Day {
  readonly report: DayReport;
  /** By server; just Mooring's where nothing is compared. */
  readonly leaks: Readonly<Record<string, LeakReport>>;
}

/** With all settings as they are for a server, but for the limit that a server takes from its machine. */
async function liveThrough(flags: DayFlags, { config }: LoadedConfig): Promise<Day> {
  const { hours, users, seed, scenario, compare = [] } = flags;
  const dayOf = (server: string): DayOptions => ({
    ...{ hours, users, seed, scenario, config },
    onProgress: (progress) => {
      showProgress(`${server}: ${String(progress.hours)} of ${String(hours)} h, ${count(progress.managers)} managers`);
    },
  });
  const report = await simulateDay(dayOf('mooring'));
  const leaks: Record<string, LeakReport> = { mooring: report.leaks };
  for (const name of new Set(compare)) leaks[name] = await compareDay(name, dayOf(name));
  showProgress('');
  return { report, leaks };
}

/** Why it ends with 1, and how to see that again. */
function remarksOn({ wanted, violation, kpis }: DayReport, replay: string): string[] {
  if (violation !== null || kpis.kpis.some(({ verdict }) => verdict === 'fail')) return [replay];
  return wanted === 0 ? [nobodyCame] : [];
}

/** With `isJson` stdout has the report alone, and the remarks go to stderr. */
function print({ report, leaks, remarks }: Day & { remarks: readonly string[] }, isJson: boolean): void {
  const isCompared = Object.keys(leaks).length > 1;
  const text = remarks.map((remark) => `${remark}\n`).join('');
  if (isJson) {
    process.stdout.write(`${JSON.stringify({ ...report, ...(isCompared && { compared: leaks }) }, null, 2)}\n`);
    process.stderr.write(text);
    return;
  }
  const table = `${tableOf(report)}${isCompared ? comparisonOf(leaks) : ''}`;
  process.stdout.write(text === '' ? table : `${table}\n${text}`);
}

function failureOf(error: unknown): string {
  if (error instanceof EscapedError) return sentenceOf(error.violation);
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
