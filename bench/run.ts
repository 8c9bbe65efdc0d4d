import { benchAdmin } from './admin.js';
import { benchBackground } from './background.js';
import { benchCore } from './core.js';
import { benchEmergency } from './emergency.js';
import { benchImports } from './imports.js';
import { endOnSignals } from './support/case.js';
import { benchRedis } from './redis.js';
import { benchSocketIo } from './socket-io.js';
import { print, save, type Report } from './support/report.js';
import { writeResults } from './write-results.js';
import { benchWs } from './ws.js';

/** Every part, by its name on the command line. */
const parts: Readonly<Record<string, (isQuick: boolean) => Promise<Report>>> = {
  core: benchCore,
  background: benchBackground,
  emergency: benchEmergency,
  ws: benchWs,
  'socket.io': benchSocketIo,
  redis: benchRedis,
  admin: benchAdmin,
  import: benchImports,
};

endOnSignals();

const flags = ['--quick', '--write'];
const given = process.argv.slice(2);
const isQuick = given.includes('--quick');
const names = given.filter((argument) => !flags.includes(argument));
const unknown = names.filter((name) => !Object.hasOwn(parts, name));

if (unknown.length > 0) {
  const known = Object.keys(parts).join(', ');
  console.error(
    `There is no part ${unknown.join(', ')}. Parts: ${known}. --quick: small sizes. --write: fill the page.`,
  );
  process.exitCode = 2;
} else if (given.includes('--write')) {
  if (given.length > 1) console.error('--write measures nothing: it fills the page with what was measured last.');
  writeResults(Object.keys(parts));
} else {
  for (const name of names.length > 0 ? names : Object.keys(parts)) await run(name);
}

/** Small sizes show that a part works. Only the full sizes are compared with the limits. */
async function run(name: string): Promise<void> {
  const report = await parts[name]?.(isQuick);
  if (report === undefined) return;
  print(report);
  save(isQuick ? `${name}-quick` : name, report);
  if (!isQuick && report.bars.some(({ isMet }) => !isMet)) process.exitCode = 1;
}
