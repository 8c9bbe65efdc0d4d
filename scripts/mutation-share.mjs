/**
 * A plugin of Stryker for `npm run mutate -- --share 2/4`: deals functions and members of classes out at random into so many
 * shares and leaves out all but one. The name and the file decide, so that the shares together are the whole.
 */

import { createHash } from 'node:crypto';

/** The first of one share is everything. */
const [share = 1, shares = 1] = (process.env['MUTATION_SHARE'] ?? '1/1').split('/').map(Number);

/** @typedef {{ readonly type: string, readonly start: number, readonly key?: { readonly name?: string, readonly id?: { readonly name: string } }, readonly id?: { readonly name?: string } | null }} Node */
/** @typedef {{ readonly node: Node, readonly parent: Node | undefined, readonly hub: { readonly file: { readonly opts: { readonly filename: string } } } }} NodePath */

export const strykerPlugins = [{ kind: 'Ignore', name: 'share', value: { shouldIgnore } }];

/** @param {NodePath} path */
function shouldIgnore({ node, parent, hub }) {
  if (shares === 1 || !isUnit(node, parent)) return undefined;
  const name = node.key?.name ?? node.key?.id?.name ?? node.id?.name ?? String(node.start);
  const digest = createHash('sha256')
    .update(`${hub.file.opts.filename.replace(/^.*\/src\//, '')} ${name}`)
    .digest();
  return digest.readUInt32BE() % shares === share - 1 ? undefined : 'It is in another share.';
}

/** Whether it is a member of a class, or a statement of a module that is no class. @param {Node} node @param {Node | undefined} parent */
function isUnit(node, parent) {
  if (parent?.type === 'ClassBody') return true;
  const isTop = parent?.type === 'Program' || parent?.type === 'ExportNamedDeclaration';
  return isTop && !/^(?:Class|Export|Import)/.test(node.type);
}
