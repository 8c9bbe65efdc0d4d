import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

/**
 * The compiled modules that some entries import, directly or not.
 *
 * @param {string} folder
 * @param {readonly string[]} entries relative to the folder; modules, or declarations (`.d.ts`)
 * @returns {{ modules: string[], packages: string[] }} modules relative to the folder, and the packages that they import
 */
export function reachableModules(folder, entries) {
  const modules = new Set(entries);
  /** @type {Set<string>} */
  const packages = new Set();
  for (const module of modules) {
    for (const specifier of importsOf(join(folder, module))) {
      if (specifier.startsWith('.')) modules.add(fileOf(specifier, { folder, module }));
      else if (!specifier.startsWith('node:')) packages.add(packageOf(specifier));
    }
  }
  return { modules: [...modules].sort(), packages: [...packages].sort() };
}

/** @param {string} file */
function importsOf(file) {
  return ts.preProcessFile(readFileSync(file, 'utf8')).importedFiles.map(({ fileName }) => fileName);
}

/** Declarations import `x.js` and mean `x.d.ts`. @param {string} specifier @param {{ folder: string, module: string }} from */
function fileOf(specifier, { folder, module }) {
  const file = relative(folder, join(folder, dirname(module), specifier));
  return module.endsWith('.d.ts') ? file.replace(/\.js$/, '.d.ts') : file;
}

/** `hono` of `hono/route`, `@hono/node-server` of `@hono/node-server/conninfo`. @param {string} specifier */
function packageOf(specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
