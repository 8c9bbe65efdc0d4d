import { describe, expect, it, vi } from 'vitest';
import { isLoopback } from '../../../src/admin/access.js';
import { createAdmin } from '../../../src/admin/admin.js';
import { harness } from '../../core/support.js';
import { afterThisTest } from '../../support/setup.js';
import { testAdmin, envOf, requestOf, type TestRequest } from './support.js';

const reader = 'r'.repeat(16);
const actor = 'a'.repeat(16);
const access = [
  { token: reader, scope: 'read', name: 'grafana' },
  { token: actor, scope: 'act', name: 'ops' },
] as const;

const post = (request: TestRequest = {}): TestRequest => ({ method: 'POST', json: {}, ...request });

describe('with tokens', () => {
  it.each([
    [{}, 401, 'No token.'],
    [{ token: 'x'.repeat(16) }, 401, 'This token is not known.'],
    [{ headers: { authorization: `Basic ${reader}` } }, 401, 'No token.'],
    [{ token: `${reader}x` }, 401, 'This token is not known.'],
  ])('%o is turned away', async (request, status, detail) => {
    const { api, h } = testAdmin({ access });
    const answer = await api('/overview', request);
    expect(answer).toMatchObject({ status, body: { detail, hint: expect.stringContaining('Bearer') as string } });
    expect(answer.headers.get('www-authenticate')).toContain('Bearer');
    expect(h.said('admin.refused')).toMatchObject([{ status, reason: detail }]);
  });

  it.each([
    ['reader', reader],
    ['actor', actor],
  ])('the %s may look', async (_, token) => {
    expect((await testAdmin({ access }).api('/overview', { token })).status).toBe(200);
  });

  it.each([
    ['reader', reader, { name: 'grafana', scope: 'read' }],
    ['actor', actor, { name: 'ops', scope: 'act' }],
  ])('the %s is told so', async (_, token, me) => {
    expect((await testAdmin({ access }).api('/me', { token })).body).toEqual(me);
  });

  it('the reader may not act, and is told what to do', async () => {
    const { api } = testAdmin({ access });
    expect(await api('/background-cleanup', post({ token: reader }))).toMatchObject({
      status: 403,
      body: { detail: 'This token may read, and not act.', hint: 'Use a token that may act (scope: act).' },
    });
  });

  it('the actor may act, and it is told who did', async () => {
    const { api, h } = testAdmin({ access });
    expect((await api('/background-cleanup', post({ token: actor }))).status).toBe(200);
    expect(h.said('admin.acted')).toMatchObject([
      { who: 'ops', action: 'background-cleanup', outcome: 'done', result: '0 released' },
    ]);
  });

  it('an action that fails is told as one', async () => {
    const { api, h } = testAdmin({ access });
    vi.spyOn(h.mooring.backgroundCleanup, 'runCycle').mockRejectedValue(new Error('no'));
    expect((await api('/background-cleanup', post({ token: actor }))).status).toBe(500);
    expect(h.said('admin.acted')).toMatchObject([{ who: 'ops', outcome: 'failed', result: 'failed: Error: no' }]);
    expect(h.said('admin.failed')).toMatchObject([{ route: 'POST /api/v1/background-cleanup' }]);
  });

  it('from anywhere, metrics too; health asks for none', async () => {
    const metrics = { contentType: 'text/plain', metrics: () => Promise.resolve('up 1') };
    const { ask } = testAdmin({ access, metrics });
    expect((await ask('/metrics', { address: '10.0.0.1' })).status).toBe(401);
    expect(await ask('/metrics', { address: '10.0.0.1', token: reader })).toMatchObject({ status: 200, body: 'up 1' });
    expect((await ask('/healthz', { address: '10.0.0.1' })).status).toBe(200);
  });

  it('wrong ones are counted by the /64 of an IPv6 address, and by IPv4 however it is written', async () => {
    const { api } = testAdmin({ access });
    const from = async (address: string): Promise<number> => (await api('/kpis', { address, token: 'wrong' })).status;
    for (let host = 1; host <= 10; host++) expect(await from(`2001:db8::${host.toString(16)}`)).toBe(401);
    expect(await from('2001:db8::ffff')).toBe(429);
    expect(await from('2001:db8:0:1::1')).toBe(401);
    for (let i = 1; i <= 5; i++) for (const each of ['192.0.2.7', '::ffff:192.0.2.7']) await from(each);
    expect(await from('::ffff:c000:207')).toBe(429);
  });

  it('ten wrong ones of an address make further ones wait; a right one never does', async () => {
    const { api } = testAdmin({ access });
    const from = (address: string, token: string): Promise<number> =>
      api('/kpis', { address, token }).then(({ status }) => status);
    for (let time = 1; time <= 10; time++) expect(await from('10.0.0.1', 'wrong')).toBe(401);
    const locked = await api('/kpis', { address: '10.0.0.1', token: 'wrong' });
    expect([locked.status, Number(locked.headers.get('retry-after')) > 0]).toEqual([429, true]);
    expect(locked.body).toMatchObject({ hint: 'A right token is accepted at once.' });
    expect(await from('10.0.0.1', reader)).toBe(200);
    expect(await from('10.0.0.2', 'wrong')).toBe(401);
  });

  it('requests without one are not counted as wrong', async () => {
    const { api } = testAdmin({ access });
    for (let time = 1; time <= 20; time++) expect((await api('/kpis')).status).toBe(401);
    expect((await api('/kpis', { token: reader })).status).toBe(200);
  });

  it('who is turned away is told: who, with what, from where', async () => {
    const { api, h } = testAdmin({ access });
    const address = '10.0.0.1';
    await api('/managers/ada%3Athread_1', { method: 'DELETE', token: reader, address });
    await api(`/users/${'x'.repeat(300)}`, { address });
    expect(h.said('admin.refused')).toMatchObject([
      { status: 403, who: 'grafana', request: 'DELETE /api/v1/managers/ada%3Athread_1', address, more: 0 },
      { status: 401, who: null, request: `GET /api/v1/users/${'x'.repeat(182)}`, address, more: 0 },
    ]);
  });

  it('a flood of them is told of in part, and counted whole', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    afterThisTest(() => {
      vi.useRealTimers();
    });
    const { api, h } = testAdmin({ access });
    for (let time = 1; time <= 50; time++) await api('/kpis');
    expect(h.said('admin.refused')).toHaveLength(30);
    await api('/background-cleanup', post({ token: reader }));
    expect(h.said('admin.refused').at(-1)).toMatchObject({ status: 403, more: 0 });
    vi.advanceTimersByTime(60_000);
    expect(h.said('admin.refused').at(-1)).toMatchObject({ status: 401, request: 'GET /api/v1/kpis', more: 19 });
    await api('/kpis');
    expect(h.said('admin.refused').at(-1)).toMatchObject({ status: 401, more: 0 });
  });

  it('what is left to tell is told at the end', async () => {
    const { api, h, admin } = testAdmin({ access });
    for (let time = 1; time <= 32; time++) await api('/kpis');
    admin.close();
    expect(h.said('admin.refused')).toHaveLength(31);
    expect(h.said('admin.refused').at(-1)).toMatchObject({ more: 1 });
  });

  it('no more of what they sent is told than is worth it', async () => {
    const { api, h } = testAdmin({ access });
    await api('/background-cleanup', post({ headers: { origin: `http://${'x'.repeat(9_000)}` } }));
    expect(h.said('admin.refused')[0]?.reason).toHaveLength(200);
  });

  it('of strangers no body is read', async () => {
    const { admin } = testAdmin({ access });
    const body = new ReadableStream({ pull: () => Promise.reject(new Error('read')) }, { highWaterMark: 0 });
    const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
    const request = new Request('http://127.0.0.1:9090/api/v1/background-cleanup', init);
    expect((await admin.fetch(request, envOf({}))).status).toBe(401);
  });

  it('who breaks off halfway through a body is no failure of ours', async () => {
    const { admin, h } = testAdmin({ access });
    const aborted = Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
    const body = new ReadableStream({ pull: () => Promise.reject(aborted) }, { highWaterMark: 0 });
    const headers = { authorization: `Bearer ${actor}`, 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body, duplex: 'half' } as RequestInit;
    const request = new Request('http://127.0.0.1:9090/api/v1/background-cleanup', init);
    expect((await admin.fetch(request, envOf({}))).status).toBe(400);
    expect(h.said('admin.failed')).toEqual([]);
  });

  it.each([
    [[], /no tokens/],
    [[{ token: 'short', scope: 'read' }], /5 characters, wanted at least 16/],
  ] as const)('%o are refused when it is made', (tokens, problem) => {
    const { mooring } = harness();
    expect(() => createAdmin({ mooring, access: tokens })).toThrow(problem);
  });
});

describe('without tokens', () => {
  it.each(['127.0.0.1:9090', 'localhost', '[::1]:9090', '127.8.8.8'])(
    'asking for %s from this machine is fine',
    async (host) => {
      expect((await testAdmin().api('/kpis', { headers: { host } })).status).toBe(200);
    },
  );

  it.each([
    ['a name that leads here', '127.0.0.1', 'evil.example'],
    ['another machine', '10.0.0.7', '127.0.0.1'],
    ['a name that begins alike', '127.0.0.1', '127.0.0.1.evil.example'],
    ['a name that begins alike', '127.0.0.1', 'localhost.evil.example'],
  ])('%s is not', async (_, address, host) => {
    const answer = await testAdmin().api('/kpis', { address, headers: { host } });
    expect(answer).toMatchObject({
      status: 403,
      body: { hint: expect.stringContaining('Configure tokens') as string },
    });
  });

  it.each(['x-forwarded-for', 'forwarded', 'via', 'x-real-ip', 'x-forwarded-host', 'x-forwarded-proto'])(
    'who comes through a proxy that sets %s may be anywhere',
    async (name) => {
      expect(await testAdmin().api('/kpis', { headers: { [name]: '127.0.0.1' } })).toMatchObject({
        status: 403,
        body: { detail: expect.stringContaining(`through a proxy that set ${name}`) as string },
      });
    },
  );

  it('nobody is let in whose address is not told', async () => {
    const { admin } = testAdmin();
    for (const env of [undefined, null, {}, 'env']) {
      const answer = await admin.fetch(requestOf('/api/v1/kpis', {}), env);
      expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('an unknown address')]);
    }
  });

  it.each(['::1', '::ffff:127.0.0.1', '[::ffff:7f00:1]', '127.0.0.1'])('%s is this machine', (address) => {
    expect(isLoopback(address)).toBe(true);
  });

  it.each(['::ffff:10.0.0.1', '[::ffff:8f00:1]', '::2', '128.0.0.1', '[::ffff:7f:1]'])('%s is not', (address) => {
    expect(isLoopback(address)).toBe(false);
  });
});

describe('pages', () => {
  it.each([
    ['http://127.0.0.1:9090', 200],
    ['http://evil.example', 403],
    ['http://127.0.0.1:9091', 403],
    ['null', 403],
    ['https://ops.example', 200],
  ])('of %s: acting gets %i', async (origin, status) => {
    const { api } = testAdmin({ allowedOrigins: ['https://ops.example'] });
    expect((await api('/background-cleanup', post({ headers: { origin } }))).status).toBe(status);
  });

  it('of other origins are shown nothing either, since no answer allows them to read', async () => {
    const answer = await testAdmin().api('/kpis', { headers: { origin: 'http://evil.example' } });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });
});
