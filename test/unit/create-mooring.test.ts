/* eslint-disable @typescript-eslint/no-deprecated -- that they go on working is what is tested */
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createMooring } from '../../src/create-mooring.js';

describe('createMooring with a former name of a setting', () => {
  it('takes it, and says the present name once in this process', async () => {
    const warned = once(process, 'warning');
    expect(createMooring({ env: {}, config: { stalledMs: 5_000 } }).config.slowConsumerTimeoutMs).toBe(5_000);
    expect(await warned).toMatchObject([
      {
        name: 'DeprecationWarning',
        code: 'MOORING_RENAMED',
        message: 'Mooring: stalledMs is called slowConsumerTimeoutMs now; the old name goes on working',
      },
    ]);
    const again: unknown[] = [];
    const note = (warning: unknown): void => void again.push(warning);
    process.on('warning', note);
    createMooring({ env: {}, config: { stalledMs: 5_000 } });
    await turn();
    process.off('warning', note);
    expect(again).toEqual([]);
  });
});
