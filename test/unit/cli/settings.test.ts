import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it, vi } from 'vitest';
import { loadFlags } from '../../../src/cli/commands/load-flags.js';
import { loadServerConfig } from '../../../src/cli/commands/serve-run.js';
import { addSettingsFlags, type SettingsFlags } from '../../../src/cli/commands/settings-flags.js';
import { configJson, configTable, overridden, writtenSettings } from '../../../src/cli/terminal/settings-table.js';
import { ConfigurationError } from '../../../src/index.js';
import { afterThisTest } from '../../support/setup.js';

/** What the flags are read as. */
function flagsOf(...args: string[]): SettingsFlags {
  const command = addSettingsFlags(new Command('serve'))
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  command.parse(args, { from: 'user' });
  return command.opts();
}

/** A file of settings. */
function fileWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-config-'));
  afterThisTest(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, 'mooring.json');
  writeFileSync(file, text);
  return file;
}

describe('the flags of settings', () => {
  it('are none by default', () => {
    expect(flagsOf()).toEqual({});
  });

  it('can be repeated, and the last word counts', () => {
    const flags = flagsOf(
      '--set',
      'maxManagersPerUser=3',
      '--set',
      'idleManagerTimeout=30s',
      '--set',
      'maxManagersPerUser=4',
    );
    expect(loadFlags(flags).config).toMatchObject({ maxManagersPerUser: 4, idleManagerTimeoutMs: 30_000 });
  });

  it.each([
    ['--set', 'maxManagersPerUser'],
    ['--set', '=3'],
    ['--env', 'prod'],
  ])('%s %s is not accepted', (...args) => {
    expect(() => flagsOf(...args)).toThrow(/invalid/);
  });

  it('win over variables, which win over the file, which wins over what the machine has', () => {
    vi.stubEnv('MOORING_TICKET', '2s');
    vi.stubEnv('MOORING_MAX_MANAGERS_PER_USER', '7');
    const config = fileWith('{ "maxManagersPerUser": 6, "ticket": "3s", "closeGrace": "2s" }');
    const loaded = loadFlags(flagsOf('--config', config, '--set', 'maxManagersPerUser=8'), {
      machine: { maxTotalManagers: 99 },
    });
    expect(loaded.config).toMatchObject({
      maxManagersPerUser: 8,
      ticketMs: 2_000,
      closeGraceMs: 2_000,
      maxTotalManagers: 99,
    });
    expect(loaded.sources).toMatchObject({
      maxManagersPerUser: 'flag',
      ticketMs: 'environment',
      closeGraceMs: 'file',
      maxTotalManagers: 'machine',
      hookTimeoutMs: 'preset',
    });
  });

  it.each([
    ['that is not there', '/nowhere/mooring.json', /nowhere.*ENOENT/],
    ['that is no JSON', fileLater('idle: 3'), /mooring\.json: .*JSON/],
    ['that is no object', fileLater('[1]'), /wanted a JSON object/],
  ])('of a file %s are a configuration error', (_, file, message) => {
    const config = typeof file === 'string' ? file : file();
    expect(() => loadFlags({ config })).toThrow(ConfigurationError);
    expect(() => loadFlags({ config })).toThrow(message);
  });
});

describe('the server', () => {
  it('holds half as many managers as it may open files', () => {
    const { config, sources } = loadServerConfig({});
    expect(config.maxTotalManagers).toBeGreaterThan(0);
    expect(sources.maxTotalManagers).toBe('machine');
  });

  it('holds as many as it is told to', () => {
    const { config, sources } = loadServerConfig({ set: [['maxTotalManagers', '7']] });
    expect([config.maxTotalManagers, sources.maxTotalManagers]).toEqual([7, 'flag']);
  });
});

describe('the printed configuration', () => {
  const loaded = loadFlags({ env: 'production', set: [['idleManagerTimeout', '90s']] });

  it('has every setting, as it would be written, and where it came from', () => {
    const lines = configTable(loaded).trimEnd().split('\n');
    expect(lines[0]).toBe('environment: production');
    expect(lines).toHaveLength(3 + Object.keys(loaded.config).length);
    expect(lines.find((line) => line.startsWith('idleManagerTimeout '))).toMatch(/ 90s +flag$/);
    expect(lines.find((line) => line.startsWith('maxTotalManagers '))).toMatch(/ none +preset$/);
    expect(lines.find((line) => line.startsWith('closeCodes '))).toMatch(/ \{\} +preset$/);
  });

  it('is the same for machines', () => {
    const printed = JSON.parse(configJson(loaded)) as { settings: Record<string, unknown> };
    expect(printed.settings['idleManagerTimeoutMs']).toEqual({ value: 90_000, source: 'flag' });
    expect(Object.keys(printed.settings)).toEqual(Object.keys(loaded.config));
  });

  it('is short in the log: what is not as preset', () => {
    expect(writtenSettings(loaded, overridden(loaded))).toEqual({ idleManagerTimeout: '90s' });
  });
});

function fileLater(text: string): () => string {
  return () => fileWith(text);
}
