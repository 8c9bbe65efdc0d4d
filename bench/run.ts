import { benchBackground } from './background.js';
import { benchCore } from './core.js';
import { benchEmergency } from './emergency.js';
import { print, save, type Report } from './support/report.js';

/** Every part, by the name it is asked for. */
const parts: Readonly<Record<string, (isQuick: boolean) => Promise<Report>>> = {
  core: benchCore,
  background: benchBackground,
  emergency: benchEmergency,
};

const given = process.argv.slice(2);
const isQuick = given.includes('--quick');
const names = given.filter((argument) => argument !== '--quick');
const unknown = names.filter((name) => !(name in parts));

if (unknown.length > 0) {
  console.error(
    `There is no part ${unknown.join(', ')}. Parts: ${Object.keys(parts).join(', ')}; --quick for small sizes.`,
  );
  process.exitCode = 2;
} else {
  for (const name of names.length > 0 ? names : Object.keys(parts)) {
    const report = await parts[name]?.(isQuick);
    if (report === undefined) continue;
    print(report);
    save(isQuick ? `${name}-quick` : name, report);
  }
}
