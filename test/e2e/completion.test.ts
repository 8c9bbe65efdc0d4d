import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { mooringCommand } from '../support/mooring-process.js';
import { afterThisTest } from '../support/setup.js';
import { routineStrategyNames } from '../../src/core/vocabulary.js';

let folder = '';

const hasShells = process.env['TEST_HAS_SHELLS'] !== '0';

function runIn(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 30_000 });
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mooring-completion-'));
  const made = folder;
  afterThisTest(() => {
    rmSync(made, { recursive: true });
  });
});

/** The script for a shell, in a file. */
function scriptFor(shell: string): string {
  const file = join(folder, '_mooring');
  writeFileSync(file, runIn(process.execPath, [mooringCommand, 'completion', shell]));
  return file;
}

/** What is typed, and what the shell offers then; the last word is the one to complete. */
const offered: readonly (readonly [typed: string, offers: readonly string[]])[] = [
  ['mooring ch', ['check']],
  ['mooring co', ['completion', 'config']],
  ['mooring users --l', ['--level', '--limit']],
  ['mooring users --level ', ['critical', 'emergency', 'info', 'normal', 'warning']],
  ['mooring users --level c', ['critical']],
  ['mooring cleanup alice --strategy ', routineStrategyNames.toSorted()],
  ['mooring completion f', ['fish']],
  ['mooring he', ['help']],
  ['mooring help ch', ['check']],
];

describe('completion in bash', () => {
  it.each([...offered, ['mooring check --url ', []] as const])('of "%s" offers %j', (typed, offers) => {
    const script = `source "$1"
      COMP_WORDS=($2); case "$2" in *" ") COMP_WORDS+=("") ;; esac
      COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 )); _mooring; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const out = runIn('bash', ['-c', script, 'bash', scriptFor('bash'), typed]);
    expect(out.split('\n').filter(Boolean).sort()).toEqual(offers);
  });

  it('is registered for mooring', () => {
    expect(runIn('bash', ['-c', 'source "$1"; complete -p mooring', 'bash', scriptFor('bash')])).toContain('_mooring');
  });
});

describe.skipIf(!hasShells)('completion in fish', () => {
  it.each(offered)('of "%s" offers %j', (typed, offers) => {
    const script = 'source $argv[1]; complete -C $argv[2]';
    const out = runIn('fish', ['--no-config', '-c', script, scriptFor('fish'), typed]);
    const words = out.split('\n').map((line) => line.split('\t')[0] ?? '');
    expect(words.filter(Boolean).sort()).toEqual(offers);
  });
});

describe.skipIf(!hasShells)('completion in zsh', () => {
  /** A real zsh on a terminal of its own, where Tab is pressed. */
  const inTerminal = (setup: string) => `
    zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell ${setup}'; zstyle ":completion:*" verbose no; bindkey "^I" complete-word; print REA""DY'
    zpty -r shell seen '*READY*'
    zpty -w -n shell "$2"$'\\t'
    zpty -r shell seen "*$3*"
    zpty -d shell`;

  it.each([
    ['as a file of fpath', `"fpath=(\${1:h} \\$fpath); autoload -Uz compinit; compinit -u -D"`],
    ['sourced', `"autoload -Uz compinit; compinit -u -D; source $1"`],
  ])('%s completes, the first time already', (_, setup) => {
    for (const [typed, becomes] of [
      ['mooring ch', 'mooring check'],
      ['mooring users --level c', 'level critical'],
      ['mooring completion f', 'completion fish'],
      ['mooring he', 'mooring help'],
      ['mooring help ch', 'help check'],
    ] as const)
      runIn('zsh', ['-f', '-c', inTerminal(setup), 'zsh', scriptFor('zsh'), typed, becomes]);
  });
});
