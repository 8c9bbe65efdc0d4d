import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../../src/cli/program.js';

const root = join(import.meta.dirname, '../../..');
const program = createProgram();

/** Pages that people read; the reference is made from the code. */
const pages = [
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md'],
  ...['docs/operating', 'docs/guides', 'docs/internals'].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => `${folder}/${name}`),
  ),
  ...['deploy/prometheus/alerts.yml'],
];

/** What a page tells to type, after `mooring`: in backticks, or at the beginning of a line of a block. */
function commandsIn(text: string): string[] {
  const inline = [...text.matchAll(/`(?:npx )?mooring ([^`]+)`/g)];
  const blocks = [...text.matchAll(/^```(?:sh|shell|bash|text|console)?\n([\s\S]*?)^```/gm)].flatMap(
    ([, block = '']) => [...block.matchAll(/^(?:\$ )?(?:npx )?mooring (.+)$/gm)],
  );
  return [...inline, ...blocks].map(([, command = '']) => command.replace(/ (?:\||#|>).*$/, '').trim());
}

/** What is wrong with a command line, as far as its words go. */
function faultOf(line: string): string | null {
  const [name = '', ...words] = line.split(/\s+/);
  if (name.startsWith('--')) return ['--help', '--version'].includes(name) ? null : `mooring has no ${name}`;
  const command = program.commands.find((each) => each.name() === name);
  if (command === undefined) return `there is no mooring ${name}`;
  const flags = words.filter((word) => /^--[a-z]/.test(word)).map((word) => /^--[a-z-]+/.exec(word)?.[0] ?? '');
  const unknown = flags.find((flag) => !longFlagsOf(command).includes(flag));
  return unknown === undefined ? null : `mooring ${name} has no ${unknown}`;
}

function longFlagsOf(command: Command): string[] {
  return ['--help', ...command.options.flatMap(({ long }) => (typeof long === 'string' ? [long] : []))];
}

describe('the commands a page tells to type', () => {
  it.each(pages)('in %s exist, with their flags', (page) => {
    const faults = commandsIn(readFileSync(join(root, page), 'utf8')).map(faultOf);
    expect(faults.filter((fault) => fault !== null)).toEqual([]);
  });

  it('are found where they are', () => {
    expect(commandsIn('Ask `mooring check <user>`.\n\n```sh\n$ npx mooring users --all | head # all\n```\n')).toEqual([
      'check <user>',
      'users --all',
    ]);
    expect(commandsIn(readFileSync(join(root, 'docs/operating/runbook.md'), 'utf8')).length).toBeGreaterThan(20);
  });

  it.each([
    ['chek alice', 'there is no mooring chek'],
    ['check alice --act', null],
    ['check alice --emergency', 'mooring check has no --emergency'],
    ['cleanup alice --emergency --keep=5', null],
    ['--version', null],
    ['--verbose', 'mooring has no --verbose'],
  ])('are judged: %s', (line, fault) => {
    expect(faultOf(line)).toBe(fault);
  });
});
