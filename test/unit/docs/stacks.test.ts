import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codeBlocksOf, type CodeBlock } from '../../support/code-blocks.js';
import { repository } from '../../support/fresh-project.js';

const folder = join(repository, 'test/ecosystem/stacks');
const stacks = new Map(
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.mjs'))
    .map((name) => [name, linesOf(readFileSync(join(folder, name), 'utf8'))]),
);
const blocks = codeBlocksOf('docs/guides/stacks.md').filter(({ language }) => language === 'js ecosystem');

describe('the recipes for other frameworks', () => {
  it.each(blocks)('line $line is code of a stack of test/ecosystem', (block) => {
    expect(sourcesOf(block)).not.toEqual([]);
  });

  it('exist for each of these stacks', () => {
    // A block of a line or two may be in many files, so it is the recipe of none.
    const recipes = blocks.map(sourcesOf).filter((files) => files.length === 1);
    const withRecipe = new Set(recipes.flat());
    const files = [...stacks.keys()].filter((name) => !name.includes('/'));
    // `ws` and Socket.IO have guides of their own
    expect(files.filter((name) => !withRecipe.has(name)).sort()).toEqual(['socket.io.mjs', 'ws.mjs']);
  });
});

/** The stacks that have each paragraph of a block, line by line, whatever the indentation. */
function sourcesOf({ text }: CodeBlock): string[] {
  const paragraphs = text.split(/\n\s*\n/).map(linesOf);
  const hasAll = (lines: string): boolean => paragraphs.every((paragraph) => lines.includes(paragraph));
  return [...stacks].filter(([, lines]) => hasAll(lines)).map(([name]) => name);
}

/** Its lines without indentation, each between line ends. */
function linesOf(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return `\n${lines.filter((line) => line !== '').join('\n')}\n`;
}
