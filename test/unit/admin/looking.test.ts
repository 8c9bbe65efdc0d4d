import { expect, it } from 'vitest';
import { testAdmin } from './support.js';

it('looking at a user has no effect, whatever the level; a check acts on the level', async () => {
  let limit = 20;
  const { h, api } = testAdmin({}, { limitOf: () => limit });
  await h.fill('ada', 5);
  limit = 5; // nothing tells the monitor of it before the next admission, release or check
  const before = h.events.length;
  for (const path of ['/users', '/users/ada', '/users/ada/journal', '/managers/ada:thread_1', '/overview']) {
    expect((await api(path)).status).toBe(200);
  }
  expect((await api('/users/ada')).body).toMatchObject({ managerCount: 5, alertLevel: 'emergency' });
  await h.time.advance(1_000);
  expect(h.events.slice(before)).toEqual([]);
  expect((await api('/users/ada/check', { method: 'POST' })).body).toMatchObject({ alertLevel: 'emergency' });
  await h.time.advance(1_000);
  const types = h.events.slice(before).map(({ type }) => type);
  expect(types).toEqual(['level.changed', 'cleanup.completed', 'admin.acted']);
});
