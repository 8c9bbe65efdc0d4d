/** `npm run docs`: writes the reference pages and the dashboard for Grafana from the built code. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { dashboardFile, dashboardText } from '../grafana/dashboard.mjs';
import { apiPages } from './api.mjs';
import { openApiOf } from './open-api.mjs';
import { referencePages } from './pages.mjs';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'docs/reference');

const coreModules = ['settings', 'durations', 'presets', 'close-codes', 'errors'].map((name) => `core/${name}.js`);
const modules = [
  ...coreModules,
  'config/written-settings.js',
  'events/edge-events.js',
  'telemetry/instrument.js',
  'telemetry/instruments.js',
];
/** @type {Parameters<typeof referencePages>[0]['tables'][]} */
const loaded = await Promise.all(modules.map((name) => import(join(root, 'dist', name))));
const tables = loaded.reduce((all, part) => ({ ...all, ...part }));
const { createProgram } = /** @type {{ createProgram: () => import('commander').Command }} */ (
  await import(join(root, 'dist/cli/program.js'))
);

const { createMooring } = /** @type {typeof import('../../src/index.js')} */ (
  await import(join(root, 'dist/index.js'))
);
const { createAdmin } = /** @type {typeof import('../../src/admin/admin.js')} */ (
  await import(join(root, 'dist/admin/admin.js'))
);
const openApi = await openApiOf(createAdmin({ mooring: createMooring({ env: {} }), access: 'loopback' }));

write(referencePages({ tables, program: createProgram(), openApi }));
const { strategies } = /** @type {typeof import('../../src/core/vocabulary.js')} */ (
  await import(join(root, 'dist/core/vocabulary.js'))
);
write(Object.fromEntries(Object.entries(await apiPages(strategies)).map(([name, text]) => [`api/${name}`, text])));

writeFileSync(join(root, dashboardFile), await dashboardText(tables.instruments, join(root, dashboardFile)));
console.log(`wrote ${dashboardFile}`);

/** @param {Record<string, string>} pages by file name */
function write(pages) {
  for (const [name, text] of Object.entries(pages)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
    console.log(`wrote docs/reference/${name}`);
  }
}
