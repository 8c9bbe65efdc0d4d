import { expect, it } from 'vitest';
import { createMooring } from '../../../src/index.js';
import { FakeConnection, SimulatedTime } from '../../../src/testing/index.js';

it('a manager active in the very moment of a cycle is looked at once, however the wheel goes round', async () => {
  const time = new SimulatedTime();
  const mooring = createMooring({ time, env: {}, environment: 'development' });
  const context = { userId: 'ada', threadId: 'thread_1' };
  const connection = new FakeConnection();
  const { link, manager } = await mooring.connections.connect(connection, context);
  connection.bind(link!);
  for (let cycle = 0; cycle < 40; cycle++) {
    await time.advance(14_999);
    manager!.hold()();
    await time.advance(1);
  }
  expect(mooring.factory.managerCount).toBe(1);
  await time.advance(150_000);
  expect(mooring.factory.managerCount).toBe(0);
  const stopped = mooring.stop();
  await time.advance(2_000);
  await stopped;
});
