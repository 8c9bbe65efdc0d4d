import type { LoadedConfig } from '../../config/load-config.js';
import { settingNames } from '../../core/settings.js';
import { outsideName, writeSetting } from '../../config/written-settings.js';
import { longestName, people } from '../../demo/people.js';
import { startPopulation } from '../../demo/population.js';
import { demoSettings } from '../../demo/settings.js';
import { duration, timeOf } from '../../presentation/figures.js';
import { exitCodes } from '../command-error.js';
import { readAccess } from '../server/admin-access.js';
import { defaultAdminUrl } from '../server/defaults.js';
import { neverWait } from '../server/log-output.js';
import { createLogger } from '../server/logger.js';
import { startServers, type Servers } from '../server/servers.js';
import { stdoutPaint } from '../terminal/paint.js';
import { stopOnSignals } from '../terminal/stop-signals.js';
import { commandName } from '../version.js';
import { loadServerConfig } from './serve-run.js';
import type { SettingsFlags } from './settings-flags.js';

/** The flags of `mooring demo`. */
export interface DemoFlags extends SettingsFlags {
  readonly port: number;
  readonly adminPort: number;
}

/** Serves simulated people until a signal stops it. @throws MooringError, CommandError */
export async function runDemo(flags: DemoFlags): Promise<void> {
  const loaded = loadServerConfig(flags, demoSettings);
  const host = '127.0.0.1';
  const access = readAccess({ adminHost: host }, process.env);
  const logger = createLogger({ logLevel: 'error' });
  neverWait(process.stdout);
  for (const warning of loaded.warnings) print(warning);
  const servers = await startServers({ ...flags, host, adminHost: host }, { loaded, access, logger });
  print(welcome(servers, loaded));
  let isStopping = false;
  const population = startPopulation(
    { url: servers.url, threadIdPrefix: loaded.config.threadIdPrefix },
    {
      tell: ({ who, text }) => {
        if (!isStopping) narrate(who, text);
      },
      whenLost: (why) => {
        isStopping = true;
        print(`The people are gone (${why}), and so the demo ends.`);
        void servers.stop().then(() => process.exit(exitCodes.trouble));
      },
    },
  );
  stopOnSignals(async (signal) => {
    isStopping = true;
    print(`${signal}: closing ${String(servers.mooring.managerCount)} connections; again to exit at once`);
    await servers.stop();
    await population.stop();
  });
}

function narrate(who: string, text: string): void {
  const paint = stdoutPaint();
  print(`${paint('dim', timeOf(new Date()))}  ${paint('bold', who.padEnd(longestName))}  ${text}`);
}

/** How much may wait for a terminal that takes nothing, in bytes; further lines are dropped. */
const longestBacklog = 65_536;

function print(line: string): void {
  if (process.stdout.writableLength < longestBacklog) process.stdout.write(`${line}\n`);
}

/** Where the demo is, what to look at, and what to try. */
function welcome({ url, adminUrl }: Servers, loaded: LoadedConfig): string {
  const admin = adminUrl ?? '';
  const mooring = commandName();
  const where = admin === defaultAdminUrl ? '' : ` --url ${admin}`;
  const { config, sources } = loaded;
  const changed = settingNames
    .filter((name) => name in demoSettings && sources[name] !== 'demo')
    .map((name) => `${outsideName(name)}=${writeSetting(name, config[name])}`);
  return `Mooring demo: ${String(Object.keys(people).length)} people with some 90 connections, and settings in seconds instead of minutes.
${changed.length === 0 ? '' : `Other than the people are made for: ${changed.join(', ')}\n`}
  Dashboard   ${admin}/
  WebSocket   ${url}/?user_id=you&thread_id=${config.threadIdPrefix}1

Look at  the levels rise in the first ten seconds, then who goes, and why, in what is told below and on the dashboard;
         open a user there for the journal: what was decided, and by which figures.
Try      ${mooring} check hugo-heavy${where}
         ${mooring} cleanup phil-phone --dry-run${where}
         ${mooring} explain ida-idle${where}
         ${mooring} kpis${where}
KPIs     are about a short demo window, the last ${duration(config.kpiWindowMs)}. Alert frequency fails on purpose: four of
         these few people come near their quota, and the target is 5 % of the users.
Stop     with Ctrl-C.
`;
}
