import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadServerConfig } from '../../../src/cli/commands/serve-run.js';
import { people } from '../../../src/demo/people.js';
import { endsOf } from '../../../src/demo/person.js';
import { demoSettings } from '../../../src/demo/settings.js';

describe('how connections ended', () => {
  it.each([
    ['nothing', [], ''],
    ['one that is open', [null], 'open'],
    ['one without a reason', [{ code: 1006, reason: '' }], '1006'],
    [
      'many, by what they are',
      [{ code: 4408, reason: 'idle' }, null, { code: 4408, reason: 'idle' }],
      '2 × 4408 idle, open',
    ],
    [
      'the same code for two reasons',
      [
        { code: 1013, reason: 'quota' },
        { code: 1013, reason: 'silent' },
      ],
      '1013 quota, 1013 silent',
    ],
  ])('is told in few words: %s', (_, ends, words) => {
    expect(endsOf(ends)).toBe(words);
  });
});

describe('the people of the demo', () => {
  const guide = readFileSync(join(import.meta.dirname, '../../../docs/guides/demo.md'), 'utf8');

  it.each(Object.keys(people))('the guide knows %s', (name) => {
    expect(guide).toContain(`\`${name}\``);
  });

  it('live under settings that are a configuration, and that flags override', () => {
    const { config } = loadServerConfig({ set: [['heartbeatInterval', '7s']] }, demoSettings);
    expect(config).toMatchObject({ ...demoSettings, heartbeatIntervalMs: 7_000 });
  });
});
