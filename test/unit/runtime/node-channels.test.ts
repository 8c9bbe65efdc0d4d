import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, it } from 'vitest';
import { createMooring } from '../../../src/index.js';
import { afterThisTest } from '../../support/setup.js';

it('publishes the events of every Mooring under their names, while there is a subscriber', async () => {
  const heard: unknown[] = [];
  const listen = (message: unknown): void => void heard.push(message);
  subscribe('mooring:server.stopped', listen);
  afterThisTest(() => {
    unsubscribe('mooring:server.stopped', listen);
  });
  await createMooring({ env: {} }).stop();
  await createMooring({ env: {} }).stop();
  expect(heard).toMatchObject([{ type: 'server.stopped', released: 0 }, { type: 'server.stopped' }]);

  unsubscribe('mooring:server.stopped', listen);
  await createMooring({ env: {} }).stop();
  expect(heard).toHaveLength(2);
});

it('is stopped at the end of its block', async () => {
  const heard: string[] = [];
  {
    await using mooring = createMooring({ env: {} });
    mooring.once('server.stopped', ({ type }) => heard.push(type));
  }
  expect(heard).toEqual(['server.stopped']);
});
