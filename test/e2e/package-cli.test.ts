import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { manifestOf, outcomeOf, pack, type Outcome } from '../support/fresh-project.js';
import { afterThisTest } from '../support/setup.js';

const prefix = mkdtempSync(join(tmpdir(), 'mooring-global-'));
const installedCommand = join(prefix, 'bin/mooring');

const mooring = (...args: readonly string[]): Promise<Outcome> => outcomeOf(installedCommand, args, prefix);

beforeAll(async () => {
  const tarballs = await Promise.all([pack('mooring-cli', prefix), pack('mooring', prefix)]);
  const options = ['install', '--global', '--prefix', prefix, '--no-audit', '--no-fund'];
  const installed = await outcomeOf('npm', [...options, ...tarballs], prefix);
  expect(installed.stderr).not.toContain('npm error');
}, 240_000);

afterAll(() => {
  rmSync(prefix, { recursive: true, force: true });
});

/** Starts an installed command that goes on; it ends with the test. @param env more environment variables */
function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(installedCommand, args, {
    cwd: prefix,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, npm_command: undefined, ...env },
  });
  afterThisTest(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  /** The next line that fits. */
  return async (fits: RegExp): Promise<string> => {
    for (;;) {
      const next = (await lines.next()) as IteratorResult<string, undefined>;
      if (next.done === true) throw new Error(`mooring ${args.join(' ')} ended without a line like ${fits.source}`);
      if (fits.test(next.value)) return next.value;
    }
  };
}

const serve = ['serve', '--port', '0', '--admin-port', '0', '--log-format', 'json'];

describe('mooring-cli, installed globally from its tarball', () => {
  it('tells its version, and what it can do', async () => {
    expect(await mooring('--version')).toEqual({
      code: 0,
      stdout: `${manifestOf('mooring-cli').version}\n`,
      stderr: '',
    });
    const { code, stdout } = await mooring('--help');
    expect(code).toBe(0);
    for (const name of ['serve', 'demo', 'check', 'simulate']) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
  });

  it('serves, with the dashboard, and checks a user', async () => {
    const says = start(serve);
    const [server = ''] = /ws:\/\/[\d.:]+/.exec(await says(/listening on /)) ?? [];
    const line = await says(/admin API on /);
    expect(line).toContain('try mooring top');
    const [url = ''] = /http:\/\/[\d.:]+/.exec(line) ?? [];
    expect(await (await fetch(`${url}/`)).text()).toContain('<!doctype html>');
    const client = new WebSocket(`${server}/?user_id=alice&thread_id=thread_1`);
    await once(client, 'open');
    const checked = await mooring('check', 'alice', '--url', url);
    expect(checked).toMatchObject({ code: 0, stderr: '' });
    expect(checked.stdout).toContain('alice: 1 of');
    client.close();
  });

  it('suggests what npx needs, if npx runs it', async () => {
    const says = start(serve, { npm_command: 'exec' });
    expect(await says(/admin API on /)).toContain('try npx mooring-cli top');
  });

  it('has the people of the demo', async () => {
    const says = start(['demo', '--port', '0', '--admin-port', '0']);
    expect(await says(/^Try/)).toContain('mooring check hugo-heavy');
    expect(await says(/ hugo-heavy {2,}/)).not.toContain('gone');
  });

  it('simulates', async () => {
    const ran = await mooring('simulate', '--scenario', 'small', '--seed', '7');
    expect(ran).toMatchObject({ code: 0, stderr: '' });
  });
});
