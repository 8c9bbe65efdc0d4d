import type { LoadedConfig } from '../../config/load-config.js';
import { settingNames } from '../../core/settings.js';
import { outsideName, writeSetting } from '../../config/written-settings.js';
import { longestName, people } from '../../demo/people.js';
import { startPopulation } from '../../demo/population.js';
import { demoSettings } from '../../demo/settings.js';
import { readAccess } from '../server/admin-access.js';
import { stdoutPaint } from './asking.js';
import { exitCodes } from '../command-error.js';
import type { DemoFlags } from './demo.js';
import { neverWait } from '../server/log-output.js';
import { createLogger } from '../server/logger.js';
import { defaultPorts } from './serve.js';
import { loadServerConfig } from './serve-run.js';
import { startServers, stopOnSignals, type Servers } from '../server/servers.js';
import { duration, timeOf } from '../../presentation/figures.js';

/** Serves, with people, until told to stop. @throws MooringError, CommandError */
export async function runDemo(flags: DemoFlags): Promise<void> {
  const loaded = loadServerConfig(flags, demoSettings);
  const host = '127.0.0.1';
  const access = readAccess({ admin: true, adminHost: host, adminPort: flags.adminPort }, process.env);
  const logger = createLogger({ logLevel: 'error' });
  neverWait(process.stdout);
  for (const warning of loaded.warnings) print(warning);
  const servers = await startServers({ ...flags, host, adminHost: host }, { loaded, access, logger });
  print(welcome(servers, loaded));
  let isStopping = false;
  const population = startPopulation(servers.url, {
    tell: ({ who, text }) => {
      if (!isStopping) narrate(who, text);
    },
    whenLost: (why) => {
      isStopping = true;
      print(`The people are gone (${why}), and so the demo ends.`);
      void servers.stop().then(() => process.exit(exitCodes.trouble));
    },
  });
  stopOnSignals(async (signal) => {
    isStopping = true;
    print(`${signal}: closing ${String(servers.managerCount)} connections; again to exit at once`);
    await servers.stop();
    await population.stop();
  });
}

function narrate(who: string, text: string): void {
  const paint = stdoutPaint();
  print(`${paint('dim', timeOf(new Date()))}  ${paint('bold', who.padEnd(longestName))}  ${text}`);
}

/** How much may wait for a terminal that stands still, in bytes; what comes then is not told. */
const mostUntold = 65_536;

function print(line: string): void {
  if (process.stdout.writableLength < mostUntold) process.stdout.write(`${line}\n`);
}

/** Where to look, what for, and what to try. */
function welcome({ url, adminUrl }: Servers, loaded: LoadedConfig): string {
  const asked = adminUrl ?? '';
  const where = asked.endsWith(`:${String(defaultPorts.admin)}`) ? '' : ` --url ${asked}`;
  const { config, sources } = loaded;
  const changed = settingNames
    .filter((name) => name in demoSettings && sources[name] !== 'demo')
    .map((name) => `${outsideName(name)}=${writeSetting(name, config[name])}`);
  return `Mooring demo: ${String(Object.keys(people).length)} people with some 90 connections, and settings in seconds instead of minutes.
${changed.length === 0 ? '' : `Other than the people are made for: ${changed.join(', ')}\n`}
  Dashboard   ${asked}/
  WebSocket   ${url}/?user_id=you&thread_id=thread_1

Look at  the levels rise in the first ten seconds, then who goes, and why, in what is told below and on the dashboard;
         open a user there for the journal: what was decided, and by which figures.
Try      npx mooring check hugo-heavy${where}
         npx mooring cleanup phil-phone --dry-run${where}
         npx mooring explain ida-idle${where}
         npx mooring kpis${where}
KPIs     are about a short demo window, the last ${duration(config.kpiWindowMs)}. Alert frequency fails on purpose: four of
         these few people come near their quota, and the target is 5 % of the users.
Stop     with Ctrl-C.
`;
}
