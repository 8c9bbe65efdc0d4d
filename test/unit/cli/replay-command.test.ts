import { describe, expect, it, vi } from 'vitest';
import { dayCommand, smallWorldCommand } from '../../../src/cli/commands/replay-command.js';
import { loadFlags } from '../../../src/cli/commands/load-flags.js';
import { settingNames } from '../../../src/core/settings.js';

const { sources } = loadFlags({ env: 'production' });
const day = { scenario: 'storm', hours: 0.5, users: 300, seed: 7 } as const;

describe('the command that replays', () => {
  it('a small world has its seed', () => {
    expect(smallWorldCommand(7)).toBe('npx mooring simulate --scenario small --seed 7');
  });

  it('a day has what it was made of, defaults as well', () => {
    expect(dayCommand(day, sources)).toBe('npx mooring simulate --scenario storm --hours 0.5 --users 300 --seed 7');
  });

  it('has every setting that was given, quoted for a shell', () => {
    const set = [
      ['maxManagersPerUser', '3'],
      ['closeCodes', `{"idle":4408}`],
      ['forcedEviction', "it's $HOME"],
    ] as const;
    const command = dayCommand({ ...day, env: 'staging', config: 'my settings.json', set, compare: ['seed'] }, sources);
    expect(command).toBe(
      'npx mooring simulate --scenario storm --hours 0.5 --users 300 --seed 7 --env staging ' +
        `--config 'my settings.json' --set maxManagersPerUser=3 --set 'closeCodes={"idle":4408}' ` +
        String.raw`--set 'forcedEviction=it'\''s $HOME' --compare seed`,
    );
  });

  it('has settings from the environment as flags', () => {
    vi.stubEnv('MOORING_TICKET', '2s');
    vi.stubEnv('MOORING_CLOSE_GRACE', '3s');
    const set = [['closeGrace', '4s']] as const;
    const { sources: mixed } = loadFlags({ env: 'production', set });
    expect(settingNames.filter((name) => mixed[name] === 'environment')).toEqual(['ticketMs']);
    expect(dayCommand({ ...day, set }, mixed)).toMatch(/ --seed 7 --set ticket=2s --set closeGrace=4s$/);
  });
});
