import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const here = import.meta.dirname;
const root = join(here, '../..');
const lockFiles = ['package.json', 'package-lock.json', '.npmrc'];

/**
 * A project outside this repository, with the packages of the lock file, Mooring as it would be published, and the files
 * of this folder. Packages of the repository cannot be found from there. It is kept, and its packages too as long as the
 * lock file is the same.
 *
 * @returns {string} its folder
 */
export function preparedProject() {
  const folder = join(tmpdir(), `mooring-ecosystem-${hashOf(here)}`);
  mkdirSync(folder, { recursive: true });
  install(folder);
  installMooring(folder);
  for (const name of ['stacks', 'clients']) rmSync(join(folder, name), { recursive: true, force: true });
  cpSync(here, folder, { recursive: true, filter: (path) => !path.includes('node_modules') });
  return folder;
}

/** @param {string} folder */
function install(folder) {
  const stamp = join(folder, 'node_modules/.mooring-ecosystem');
  const wanted = hashOf(...lockFiles.map((name) => readFileSync(join(here, name), 'utf8')));
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  for (const name of lockFiles) cpSync(join(here, name), join(folder, name));
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  npm(folder, ['ci', ...quiet]);
  writeFileSync(stamp, wanted);
}

/** What `npm pack` packs, unpacked where npm would. @param {string} folder */
function installMooring(folder) {
  const packed = mkdtempSync(join(tmpdir(), 'mooring-packed-'));
  const target = join(folder, 'node_modules/mooring');
  try {
    npm(root, ['pack', '--ignore-scripts', '--pack-destination', packed]);
    const [filename = ''] = readdirSync(packed);
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target, { recursive: true });
    execFileSync('tar', ['-xzf', join(packed, filename), '-C', target, '--strip-components=1']);
  } finally {
    rmSync(packed, { recursive: true, force: true });
  }
}

/** @param {string} cwd @param {readonly string[]} args @returns its output */
function npm(cwd, args) {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/** @param {...string} texts */
function hashOf(...texts) {
  return createHash('sha256').update(texts.join('\0')).digest('hex').slice(0, 12);
}
