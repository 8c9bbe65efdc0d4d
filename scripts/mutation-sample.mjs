/**
 * A plugin of Stryker for `npm run mutate -- --sample 4`: leaves out all but a random one of so many functions and members
 * of classes. Which ones, the name and the file decide, so that every run has the same.
 */

import { createHash } from 'node:crypto';

/** One of so many is in the sample. */
const sample = Number(process.env['MUTATION_SAMPLE'] ?? 1);

/** @typedef {{ readonly type: string, readonly start: number, readonly key?: { readonly name?: string, readonly id?: { readonly name: string } }, readonly id?: { readonly name?: string } | null }} Node */
/** @typedef {{ readonly node: Node, readonly parent: Node | undefined, readonly hub: { readonly file: { readonly opts: { readonly filename: string } } } }} NodePath */

export const strykerPlugins = [{ kind: 'Ignore', name: 'sample', value: { shouldIgnore } }];

/** @param {NodePath} path */
function shouldIgnore({ node, parent, hub }) {
  if (sample <= 1 || !isUnit(node, parent)) return undefined;
  const name = node.key?.name ?? node.key?.id?.name ?? node.id?.name ?? String(node.start);
  const digest = createHash('sha256')
    .update(`${hub.file.opts.filename.replace(/^.*\/src\//, '')} ${name}`)
    .digest();
  return digest.readUInt32BE() % sample === 0 ? undefined : 'It is not in the sample.';
}

/** Whether it is a member of a class, or a statement of a module that is no class. @param {Node} node @param {Node | undefined} parent */
function isUnit(node, parent) {
  if (parent?.type === 'ClassBody') return true;
  const isTop = parent?.type === 'Program' || parent?.type === 'ExportNamedDeclaration';
  return isTop && !/^(?:Class|Export|Import)/.test(node.type);
}
