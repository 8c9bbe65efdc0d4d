import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { MalformedContextError } from '../../../src/index.js';
import { harness, silent } from '../support.js';

const fields = (thread: number) => ({ userId: 'ada', threadId: `thread_${String(thread)}` });

/** A user whose one slot has a connection, and a newcomer of another thread that waits. */
async function waiting(signal?: AbortSignal) {
  const h = harness({ config: { maxManagersPerUser: 1 } });
  await h.connect('ada', 'thread_1', silent);
  return { h, admission: h.mooring.admit(fields(2), { signal }) };
}

describe('await mooring.admit', () => {
  it('gives a ticket whose slot is taken within the call', async () => {
    const h = harness();
    const admission = h.mooring.admit(fields(1));
    expect(h.mooring.managerCountOf('ada')).toBe(1);
    expect(await admission).toMatchObject({ ticket: { manager: { userId: 'ada' } }, refusal: null });
  });

  it('waits for a slot', async () => {
    const { h, admission } = await waiting();
    expect(h.mooring.waitingCountOf('ada')).toBe(1);
    h.mooring.release('ada:thread_1');
    expect((await admission).ticket?.manager.threadId).toBe('thread_2');
  });

  it('gives a refusal, and throws only for ids that break a rule', async () => {
    const h = harness({ config: { maxManagersPerUser: 0 } });
    expect((await h.mooring.admit(fields(1))).refusal?.code).toBe('quota.exceeded');
    await expect(h.mooring.admit({ userId: '', threadId: 'thread_1' })).rejects.toThrow(MalformedContextError);
  });

  it('gives the place back if the signal is aborted while it waits, and leaves nothing on the signal', async () => {
    const controller = new AbortController();
    const { h, admission } = await waiting(controller.signal);
    controller.abort();
    expect((await admission).refusal?.code).toBe('admission.cancelled');
    expect(h.mooring.waitingCountOf('ada')).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  it('takes nothing if the signal was aborted before, and holds up no later arrival', async () => {
    const h = harness();
    const arrival = h.mooring.arrivals.begin();
    const { refusal } = await h.mooring.admit(fields(1), { arrival, signal: AbortSignal.abort() });
    expect([refusal?.code, h.mooring.managerCount]).toEqual(['admission.cancelled', 0]);
    expect((await h.mooring.admit(fields(1))).refusal).toBeNull();
  });
});
