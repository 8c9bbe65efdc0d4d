import { ConfigurationError } from '../../core/errors.js';
import type { LoadedConfig } from '../../config/load-config.js';
import { compareDay, simulateDay, type DayOptions, type DayReport } from '../../simulation/day.js';
import { EscapedError } from '../../simulation/escape.js';
import type { LeakReport } from '../../simulation/leaks.js';
import { count } from '../../presentation/figures.js';
import { comparisonOf, tableOf, violationText } from '../terminal/day-table.js';
import { showProgress } from '../terminal/output.js';
import { exitOnStopSignals } from '../terminal/stop-signals.js';
import { loadFlags } from './load-flags.js';
import { dayCommand } from './replay-command.js';
import type { DayFlags } from './simulate-flags.js';

/** Printed for a day in which no metric has a sample. */
const nobodyCame = 'Nobody wanted in; simulate more users, or more hours: the day begins at its quietest hour.\n';

/** Simulates a day and prints the result. Exits with 1 if the day fails, or if nobody came. */
export async function runDay(flags: DayFlags): Promise<void> {
  const loaded = loadFlags({ ...flags, env: flags.env ?? 'production' });
  const replay = `Replay it with: ${dayCommand(flags, loaded.sources)}`;
  const removeListeners = exitOnStopSignals(() => showProgress(''));
  try {
    const { report, leaks } = await simulate(flags, loaded);
    const remark = remarkOn(report, replay);
    process.exitCode = remark === '' ? 0 : 1;
    print({ report, leaks, remark }, flags.json === true);
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    showProgress('');
    process.exitCode = 1;
    process.stderr.write(`${failureOf(error)}\n${replay}\n`);
  } finally {
    removeListeners();
  }
}

interface Day {
  readonly report: DayReport;
  /** By server; without a comparison only Mooring's. */
  readonly leaks: Readonly<Record<string, LeakReport>>;
}

/** The settings are those of a server, except for the limit that a server takes from its machine. */
async function simulate(flags: DayFlags, { config }: LoadedConfig): Promise<Day> {
  const { hours, users, seed, scenario, compare = [] } = flags;
  const dayOf = (server: string): DayOptions => ({
    hours,
    users,
    seed,
    scenario,
    config,
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

/** A line for a day that exits with 1: how to replay it, or why it says nothing. Empty for others. */
function remarkOn({ wanted, violation, kpis }: DayReport, replay: string): string {
  if (violation !== null || kpis.kpis.some(({ verdict }) => verdict === 'fail')) return `${replay}\n`;
  return wanted === 0 ? nobodyCame : '';
}

/** With `isJson` only the report goes to stdout, and the remark goes to stderr. */
function print({ report, leaks, remark }: Day & { remark: string }, isJson: boolean): void {
  const isCompared = Object.keys(leaks).length > 1;
  if (isJson) {
    process.stdout.write(`${JSON.stringify({ ...report, ...(isCompared && { compared: leaks }) }, null, 2)}\n`);
    process.stderr.write(remark);
    return;
  }
  const table = `${tableOf(report)}${isCompared ? comparisonOf(leaks) : ''}`;
  process.stdout.write(remark === '' ? table : `${table}\n${remark}`);
}

function failureOf(error: unknown): string {
  if (error instanceof EscapedError) return violationText(error.violation);
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
