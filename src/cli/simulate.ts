import { readFileSync } from 'node:fs';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { ConfigurationError } from '../core/errors.js';
import type { Kpi } from '../core/kpis/kpi.js';
import { settingNames, type WebSocketConfig } from '../core/settings.js';
import { compareDay, simulateDay, type DayOptions, type DayReport } from '../simulation/day.js';
import type { LeakReport } from '../simulation/leaks.js';
import { scenarios, type ScenarioName } from '../simulation/population.js';
import { runScript, type Script } from '../simulation/script.js';
import { seedRules, type SeedName } from '../simulation/seed/rules.js';
import { shrink } from '../simulation/shrink.js';
import { smallWorld } from '../simulation/small-world.js';
import type { Violation } from '../simulation/invariants.js';
import { addSettingsFlags, loadFlags, type SettingsFlags } from './settings-flags.js';

interface SimulateFlags extends SettingsFlags {
  readonly hours: number;
  readonly users: number;
  readonly seed: number;
  readonly scenario: ScenarioName | 'small';
  readonly script?: string;
  readonly json?: boolean;
  readonly compare?: readonly SeedName[];
}

const examples = `
Scenarios:
${Object.entries(scenarios)
  .map(([name, { about }]) => `  ${name.padEnd(10)} ${about}`)
  .join('\n')}
  small      an hour of everything that can go wrong, for a few users, with settings of its own; checks the promises

Servers to compare with:
${Object.entries(seedRules)
  .map(([name, { about }]) => `  ${name.padEnd(10)} ${about}`)
  .join('\n')}

Examples:
  mooring simulate --hours 24 --users 10000 --seed 7
  mooring simulate --hours 2 --users 500 --set idleManagerTimeout=120s --set maxManagersPerUser=5
  mooring simulate --users 10000 --compare seed before
  mooring simulate --scenario small --seed 7
  mooring simulate --script failing.json

Exit code: 0 if every promise was kept and no metric failed, 1 if not.`;

/** `mooring simulate` */
export function addSimulate(program: Command): void {
  const command = program
    .command('simulate')
    .description('what would these settings do? the real core, in a seeded world, through a day of simulated people')
    .option('--hours <number>', 'simulated hours', positive, 24)
    .option('--users <number>', 'simulated users', positive, 1_000)
    .option('--seed <number>', 'everything follows from it', whole, 1)
    .addOption(
      new Option('--scenario <name>', 'what the day is like')
        .choices([...Object.keys(scenarios), 'small'])
        .default('reference'),
    )
    .option('--script <file>', 'replay a script, as a failing small world prints it');
  addSettingsFlags(command)
    .addOption(
      new Option('--compare <server...>', 'the same day under another algorithm, side by side').choices(
        Object.keys(seedRules),
      ),
    )
    .option('--json', 'print the report as JSON')
    .addHelpText('after', examples)
    .action(run);
}

async function run(flags: SimulateFlags): Promise<void> {
  if (flags.script !== undefined) await replay(readScript(flags.script));
  else if (flags.scenario === 'small') await runSmallWorld(flags);
  else await runDay(flags, flags.scenario);
}

async function runDay(flags: SimulateFlags, scenario: ScenarioName): Promise<void> {
  const { hours, users, seed, compare = [] } = flags;
  const dayOf = (server: string): DayOptions => ({
    ...{ hours, users, seed, scenario },
    config: overridesOf(flags),
    onProgress: (progress) => {
      showProgress(`${server}: ${String(progress.hours)} of ${String(hours)} h, ${count(progress.managers)} managers`);
    },
  });
  const report = await simulateDay(dayOf('mooring'));
  const leaks: Record<string, LeakReport> = { mooring: report.leaks };
  for (const name of new Set(compare)) leaks[name] = await compareDay(name, dayOf(name));
  showProgress('');
  process.stdout.write(
    flags.json === true
      ? `${JSON.stringify({ ...report, ...(compare.length > 0 && { compared: leaks }) }, null, 2)}\n`
      : `${tableOf(report)}${compare.length > 0 ? comparisonOf(leaks) : ''}`,
  );
  const hasFailed = report.violation !== null || report.kpis.kpis.some(({ verdict }) => verdict === 'fail');
  process.exitCode = hasFailed ? 1 : 0;
}

/** @throws ConfigurationError */
async function runSmallWorld({ seed, ...flags }: SimulateFlags): Promise<void> {
  const useless = (['set', 'env', 'config', 'json', 'compare'] as const).filter((name) => flags[name] !== undefined);
  if (useless.length > 0)
    throw new ConfigurationError(
      useless.map((name) => `--${name} does not go with --scenario small, whose settings follow from its seed`),
    );
  const script = smallWorld(seed);
  const violation = await runScript(script);
  if (violation === null) {
    process.stdout.write(`seed ${String(seed)}: every promise kept in ${String(script.steps.length)} steps\n`);
    return;
  }
  process.stdout.write(
    `${sentence(violation)}\nReplay it with: mooring simulate --scenario small --seed ${String(seed)}\n`,
  );
  const isSame = async (cut: Script): Promise<boolean> => (await runScript(cut))?.invariant === violation.invariant;
  const shortest = await shrink(script, isSame);
  process.stdout.write(
    `The shortest script that fails so; save it and replay it with --script:\n${linesOf(shortest)}\n`,
  );
  process.exitCode = 1;
}

/** @throws ConfigurationError */
function readScript(file: string): Script {
  try {
    const script = JSON.parse(readFileSync(file, 'utf8')) as Partial<Script>;
    if (!Array.isArray(script.steps) || typeof script.seed !== 'number') throw new Error('wanted { seed, steps }');
    return {
      seed: script.seed,
      config: script.config ?? {},
      hasLedger: script.hasLedger ?? false,
      steps: script.steps,
    };
  } catch (error) {
    throw new ConfigurationError([`--script ${file}: ${error instanceof Error ? error.message : 'cannot be read'}`]);
  }
}

async function replay(script: Script): Promise<void> {
  const violation = await runScript(script);
  process.stdout.write(violation === null ? 'every promise kept\n' : `${sentence(violation)}\n`);
  process.exitCode = violation === null ? 0 : 1;
}

function sentence({ atMs, invariant, message }: Violation): string {
  return `Broken after ${String(Math.round(atMs))} ms: ${invariant}: ${message}`;
}

/** As JSON, with a line for each step. */
function linesOf({ steps, ...rest }: Script): string {
  const head = JSON.stringify(rest).slice(0, -1);
  return `${head},"steps":[\n${steps.map((step) => JSON.stringify(step)).join(',\n')}\n]}`;
}

/** What is not as the production preset has it. */
function overridesOf(flags: SimulateFlags): Partial<WebSocketConfig> {
  const { config } = loadFlags({ ...flags, env: flags.env ?? 'production' });
  const names = settingNames.filter((name) => name !== 'maxTotalManagers');
  return Object.fromEntries(names.map((name) => [name, config[name]]));
}

/** One line that is written over, on a terminal only. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

function tableOf(report: DayReport): string {
  const { scenario, users, hours, seed, occurrences, realMs, kpis, violation } = report;
  const title = `${scenario}: ${count(users)} users, ${String(hours)} h, seed ${String(seed)}`;
  const speed = `${count(occurrences)} events in ${(realMs / 1000).toFixed(1)} s`;
  const rows = kpis.kpis.map((kpi) => [
    String(kpi.number),
    wordsOf(kpi.name),
    valueOf(kpi),
    kpi.target,
    kpi.verdict,
    count(kpi.samples),
  ]);
  const facts = [
    ['wanted in', count(report.wanted)],
    ['admitted', `${count(report.admitted)}, and ${count(report.takenOver)} took over`],
    ['refused', listOf(report.refusals)],
    ['released', listOf(report.releases)],
    ['healthy connections closed without a reason', count(report.healthyClosed)],
    ['most managers at once', count(report.peakManagers)],
    ['promises', violation === null ? 'all kept' : sentence(violation)],
  ];
  const header = ['#', 'success metric', 'value', 'target', 'verdict', 'samples'];
  return `${title}; ${speed}\n\n${aligned([header, ...rows])}\n\n${aligned(facts)}\n`;
}

const leakRows: readonly [string, keyof LeakReport][] = [
  ['leak incidents (user-hours)', 'incidents'],
  ['  with a lock-out', 'lockOuts'],
  ['  with an accumulated manager', 'accumulations'],
  ['connections closed in use', 'closedInUse'],
];

/** Side by side, and how many incidents fewer that is. */
function comparisonOf(leaks: Readonly<Record<string, LeakReport>>): string {
  const { mooring, ...others } = leaks;
  const header = ['', ...Object.keys(leaks)];
  const rows = leakRows.map(([label, name]) => [label, ...Object.values(leaks).map((report) => count(report[name]))]);
  const sentences = Object.entries(others).map(([name, { incidents }]) => {
    const fewer = incidents === 0 ? 0 : 1 - (mooring?.incidents ?? 0) / incidents;
    return `${(fewer * 100).toFixed(1)} % fewer incidents than ${name}\n`;
  });
  return `\n${aligned([header, ...rows])}\n\n${sentences.join('')}`;
}

function valueOf({ value, unit }: Kpi): string {
  if (value === null) return '-';
  if (unit === 'ratio') return `${(value * 100).toFixed(2)} %`;
  return unit === 'ms' ? `${(value / 1000).toFixed(2)} s` : count(value);
}

/** `emergencyCleanupTime` → `emergency cleanup time` */
function wordsOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function listOf(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([name, number]) => `${name} ${count(number)}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function count(number: number): string {
  return number.toLocaleString('en');
}

function positive(text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new InvalidArgumentError('Wanted a number above 0.');
  return number;
}

function whole(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0) throw new InvalidArgumentError('Wanted a whole number of at least 0.');
  return number;
}
