import { describe, expect, it, vi } from 'vitest';
import type { Release, ReleaseHook } from '../../../src/index.js';
import { harness, remote, type HarnessOptions } from '../support.js';

/** A connected manager with these hooks. */
async function hooked(hooks: ReleaseHook[], options: HarnessOptions = {}) {
  const h = harness(options);
  const client = await h.connect('ada', 'thread_1');
  for (const hook of hooks) client.manager.onRelease(hook);
  return { h, ...client };
}

describe('an onRelease hook', () => {
  it('is told the manager and the reason', async () => {
    const hook = vi.fn<ReleaseHook>();
    const { transport, manager } = await hooked([hook]);
    transport.vanish();
    expect(hook).toHaveBeenCalledExactlyOnceWith({
      manager,
      reason: 'closed',
      signal: expect.any(AbortSignal) as AbortSignal,
    });
  });

  it('runs once, however often the end is announced', async () => {
    const hook = vi.fn<ReleaseHook>();
    const { h, transport, manager } = await hooked([hook]);
    h.mooring.release(manager.key);
    transport.vanish();
    await h.stop();
    expect(hook).toHaveBeenCalledOnce();
  });

  it('starts within the call that releases', async () => {
    const hook = vi.fn<ReleaseHook>();
    const { h, manager } = await hooked([hook]);
    h.mooring.release(manager.key);
    expect(hook).toHaveBeenCalled();
  });

  it('finds the slot free already', async () => {
    const counts: number[] = [];
    const { h, transport } = await hooked([({ manager }) => void counts.push(h.countOf(manager.userId))]);
    transport.vanish();
    expect(counts).toEqual([0]);
  });

  it('may be taken back', async () => {
    const hook = vi.fn<ReleaseHook>();
    const { transport, manager } = await hooked([]);
    manager.onRelease(hook)();
    transport.vanish();
    expect(hook).not.toHaveBeenCalled();
  });

  it('runs for a manager that never had a socket', async () => {
    const hook = vi.fn<ReleaseHook>();
    const h = harness();
    h.ticket('ada', 'thread_1').manager.onRelease(hook);
    await h.time.advance(10_000);
    expect(hook).toHaveBeenCalledOnce();
    expect(hook.mock.calls[0]![0].reason).toBe('unattached');
  });

  it.each<[string, ReleaseHook]>([
    ['throws', () => throwing()],
    ['rejects', () => Promise.reject(new Error('hook'))],
    ['rejects later', () => Promise.resolve().then(throwing)],
  ])('that %s is reported and stops no other', async (_, hook) => {
    const other = vi.fn<ReleaseHook>();
    const { h, transport } = await hooked([hook, other]);
    transport.vanish();
    await h.time.settle();
    expect(h.said('hook.failed')).toMatchObject([{ userId: 'ada', threadId: 'thread_1', error: 'Error: hook' }]);
    expect(other).toHaveBeenCalledOnce();
    expect(h.countOf('ada')).toBe(0);
  });

  it('that gives something with a broken `then` is reported and stops no other', async () => {
    const other = vi.fn<ReleaseHook>();
    const broken = { then: throwing } as unknown as Promise<void>;
    const { h, transport } = await hooked([() => broken, other]);
    transport.vanish();
    await h.time.settle();
    expect(h.said('hook.failed')).toMatchObject([{ error: 'Error: hook' }]);
    expect(other).toHaveBeenCalledOnce();
  });

  it('that releases its own manager again changes nothing', async () => {
    const { h, transport } = await hooked([({ manager }) => void h.mooring.release(manager.key)]);
    transport.vanish();
    expect(h.said('manager.released')).toHaveLength(1);
  });

  it('that takes the slot again with a manager of the same key is heard once', async () => {
    const hook = vi.fn<ReleaseHook>(({ manager }) => void h.admit(manager.userId, manager.threadId));
    const { h, transport } = await hooked([hook]);
    transport.vanish();
    expect(hook).toHaveBeenCalledOnce();
    expect(h.countOf('ada')).toBe(1);
  });
});

describe('an onRelease hook that hangs', () => {
  const hanging = async (options: HarnessOptions = {}) => {
    const releases: Release[] = [];
    const hook: ReleaseHook = (release) => {
      releases.push(release);
      return new Promise(() => {});
    };
    const made = await hooked([hook], options);
    made.transport.vanish();
    return { ...made, signal: releases[0]!.signal };
  };

  it('holds no slot', async () => {
    const { h } = await hanging({ config: { maxManagersPerUser: 1 } });
    expect(h.countOf('ada')).toBe(0);
    await h.connect('ada', 'thread_2');
  });

  it('is reported and aborted after hookTimeoutMs', async () => {
    const { h, signal } = await hanging();
    await h.time.advance(4_999);
    expect([signal.aborted, h.said('hook.failed').length]).toEqual([false, 0]);
    await h.time.advance(1);
    expect([signal.aborted, h.said('hook.failed').length]).toEqual([true, 1]);
    expect(h.said('hook.failed')[0]!.error).toBe('still running after 5000 ms');
  });

  it('has as long as is configured', async () => {
    const { h, signal } = await hanging({ config: { hookTimeoutMs: 50 } });
    await h.time.advance(50);
    expect(signal.aborted).toBe(true);
  });

  it('and rejects after it was given up is reported once', async () => {
    const { h, transport } = await hooked([
      ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            reject(new Error('aborted'));
          });
        }),
    ]);
    transport.vanish();
    await h.time.advance(10_000);
    expect(h.said('hook.failed')).toHaveLength(1);
  });

  it('no longer than hookTimeoutMs is not reported', async () => {
    const { h, transport } = await hooked([() => new Promise((resolve) => void h.time.setTimer(resolve, 4_000))]);
    transport.vanish();
    await h.time.advance(10_000);
    expect(h.said('hook.failed')).toEqual([]);
  });

  it('is waited for by stop, no longer than hookTimeoutMs', async () => {
    const { h } = await hooked([() => new Promise(() => {})]);
    let isStopped = false;
    void h.mooring.stop().then(() => (isStopped = true));
    await h.time.advance(4_999);
    expect(isStopped).toBe(false);
    await h.time.advance(1);
    expect(isStopped).toBe(true);
  });
});

function throwing(): never {
  throw new Error('hook');
}

describe('a hook that is registered after the release', () => {
  it('runs at once, with the reason', async () => {
    const h = harness();
    const { manager } = await h.connect('ada', 'thread_1', remote);
    h.mooring.release(manager.key);
    const reasons: string[] = [];
    const takeBack = manager.onRelease(({ reason }) => {
      reasons.push(reason);
    });
    takeBack();
    expect(reasons).toEqual(['requested']);
  });

  it('is reported like any other when it throws', async () => {
    const h = harness();
    const { manager } = await h.connect('ada', 'thread_1', remote);
    h.mooring.release(manager.key);
    manager.onRelease(() => {
      throw new Error('too late');
    });
    expect(h.said('hook.failed')).toMatchObject([{ error: 'Error: too late' }]);
  });
});
