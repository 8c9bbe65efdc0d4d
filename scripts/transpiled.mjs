import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ts from 'typescript';

const root = join(import.meta.dirname, '..');

/** Folders and files of TypeScript, as JavaScript in a folder of their own: Node runs them, and each may be changed. */
export class Transpiled {
  /** Where they are. */
  folder = mkdtempSync(join(tmpdir(), 'mooring-transpiled-'));

  /** @param {readonly string[]} paths relative to the root */
  constructor(paths) {
    cpSync(join(root, 'package.json'), join(this.folder, 'package.json'));
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'));
    for (const file of paths.flatMap(filesOf)) this.write(file, readFileSync(join(root, file), 'utf8'));
  }

  /** @param {string} file relative to the root @param {string} source */
  write(file, source) {
    const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
    const { outputText } = ts.transpileModule(source, { compilerOptions });
    const path = join(this.folder, file.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, outputText);
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** @param {string} path @returns {string[]} */
function filesOf(path) {
  if (path.endsWith('.ts')) return [path];
  const names = readdirSync(join(root, path), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.ts')).map((name) => join(path, name));
}
