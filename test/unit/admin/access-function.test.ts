import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import type { AccessFunction } from '../../../src/admin/admin.js';
import { createAdmin } from '../../../src/admin/admin.js';
import { harness } from '../../core/support.js';
import { requestOf, testAdmin, type TestRequest } from './support.js';

const token = 't'.repeat(16);
const tokens = [{ token, scope: 'read', name: 'prometheus' }] as const;

/** The application's users: an operator, one who may only read, and one who may not even read. */
const scopes = new Map<string, 'act' | 'read' | 'none'>([
  ['ada', 'act'],
  ['bob', 'read'],
  ['carl', 'none'],
]);

/** The cookie `session=ada` is the session of `ada`. */
const sessions: AccessFunction = ({ headers }) => {
  const name = /session=(\w+)/.exec(headers.get('cookie') ?? '')?.[1] ?? '';
  const scope = scopes.get(name);
  return scope === undefined ? null : { name, scope };
};

const as = (user: string, request: TestRequest = {}): TestRequest => ({
  ...request,
  headers: { cookie: `session=${user}`, ...request.headers },
});
const act: TestRequest = { method: 'POST', json: {} };

describe("with an access function, for the application's own sessions", () => {
  it.each([
    ['an operator reads', '/overview', as('ada'), 200],
    ['an operator acts', '/background-cleanup', as('ada', act), 200],
    ['another user reads', '/overview', as('bob'), 200],
    ['another user may not act', '/background-cleanup', as('bob', act), 403],
    ['a user without the right may not read', '/overview', as('carl'), 403],
    ['a stranger gets nothing', '/overview', as('eve'), 401],
    ['a request without a cookie gets nothing', '/overview', {}, 401],
  ] as const)('%s', async (_, path, request, status) => {
    expect((await testAdmin({ access: sessions }).api(path, request)).status).toBe(status);
  });

  it('actions are told under the name of the person', async () => {
    const { api, h } = testAdmin({ access: sessions });
    await api('/background-cleanup', as('ada', act));
    expect(h.said('admin.acted')).toMatchObject([{ who: 'ada' }]);
    expect((await api('/me', as('bob'))).body).toEqual({ name: 'bob', scope: 'read' });
  });

  it.each(['https://evil.example', 'null'])(
    'a page of %s cannot act with the cookie of an operator',
    async (origin) => {
      const { api } = testAdmin({ access: sessions });
      expect((await api('/background-cleanup', as('ada', { ...act, headers: { origin } }))).status).toBe(403);
    },
  );

  it('a user without the right is told under which name, and so is the log', async () => {
    const { api, h } = testAdmin({ access: sessions });
    expect((await api('/overview', as('carl'))).body).toMatchObject({ detail: 'carl may not use this API.' });
    expect(h.said('admin.refused')).toMatchObject([{ who: 'carl', reason: 'carl may not use this API.', status: 403 }]);
  });

  it('a stranger is not asked for a token that does not exist', async () => {
    const { ask, api } = testAdmin({ access: sessions });
    const { headers, body } = await api('/overview');
    expect(headers.has('www-authenticate')).toBe(false);
    expect(body).toMatchObject({ detail: 'You are not signed in.' });
    expect((await ask('/healthz')).body).toMatchObject({ wantsToken: false });
  });

  it('it sees method, path and headers, and no body', async () => {
    const access = vi.fn<AccessFunction>(async (request) => {
      expect(await request.text()).toBe('');
      return { name: 'ada', scope: 'act' };
    });
    const { api } = testAdmin({ access });
    expect((await api('/background-cleanup', { method: 'POST', json: { dryRun: true } })).status).toBe(200);
    expect(access.mock.calls[0]?.[0]).toMatchObject({
      method: 'POST',
      url: 'http://127.0.0.1:9090/api/v1/background-cleanup',
    });
  });

  it('it sees the request of Node, with the session that middleware of Express has put there', async () => {
    const incoming = Object.assign(new IncomingMessage(new Socket()), { session: { user: 'ada' } });
    const access: AccessFunction = (_, environment) => {
      const { session } = environment.incoming as typeof incoming;
      return { name: session.user, scope: 'read' };
    };
    const { admin } = testAdmin({ access });
    const answer = await admin.fetch(requestOf('/api/v1/me', {}), { incoming });
    expect(await answer.json()).toEqual({ name: 'ada', scope: 'read' });
  });

  it('under a server that tells nothing it sees no request of Node', async () => {
    const access = vi.fn<AccessFunction>(() => null);
    const { admin } = testAdmin({ access });
    expect((await admin.fetch(requestOf('/api/v1/me', {}))).status).toBe(401);
    expect(access.mock.calls[0]?.[1]).toEqual({});
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      'throws',
      () => {
        throw new Error('no database');
      },
      /no database/,
    ],
    ['rejects', () => Promise.reject(new Error('no database')), /no database/],
    ['gives true', () => true, /got true, wanted \{ name, scope: 'read', 'act' or 'none' \}, or null/],
    ['gives an unknown scope', () => ({ name: 'ada', scope: 'admin' }), /wanted \{ name, scope/],
    ['gives no name', () => ({ name: '', scope: 'act' }), /wanted \{ name, scope/],
    ['gives a promise of nonsense', () => Promise.resolve('ada'), /wanted \{ name, scope/],
  ])('if it %s, the request is refused, and an event tells why', async (_, access, error) => {
    const { api, h } = testAdmin({ access: access as AccessFunction });
    expect((await api('/overview')).status).toBe(401);
    expect(h.said('admin.failed')).toMatchObject([{ route: 'access', error: expect.stringMatching(error) as string }]);
  });

  it.each([[undefined], [null]])('%s is nobody, and no failure', async (nobody) => {
    const { api, h } = testAdmin({ access: (() => nobody) as unknown as AccessFunction });
    expect((await api('/overview')).status).toBe(401);
    expect(h.said('admin.failed')).toEqual([]);
  });
});

describe('with an access function and tokens beside it', () => {
  it.each([
    ['the token reads', { token }, 200],
    ['a session reads', as('bob'), 200],
    ['a session reads, with an Authorization header of the application', as('bob', { token: 'x'.repeat(30) }), 200],
    ['a wrong token without a session is refused', { token: 'x'.repeat(30) }, 401],
    ['a wrong token of a user without the right counts as a wrong token', as('carl', { token: 'x'.repeat(30) }), 401],
    ['a user without the right, and without a token, is told so', as('carl'), 403],
  ] as const)('%s', async (_, request, status) => {
    expect((await testAdmin({ access: sessions, tokens }).api('/overview', request)).status).toBe(status);
  });

  it('a caller with the token of Prometheus costs no session', async () => {
    const access = vi.fn<AccessFunction>(() => null);
    expect((await testAdmin({ access, tokens }).api('/overview', { token })).status).toBe(200);
    expect(access).not.toHaveBeenCalled();
  });
});

describe('where people sign in', () => {
  it.each(['/login', 'https://app.example/login?next=ops', '../login'])(
    '%s is told with the health',
    async (loginUrl) => {
      const { ask } = testAdmin({ access: sessions, loginUrl });
      expect((await ask('/healthz')).body).toMatchObject({ loginUrl });
    },
  );

  it('is not told unless it is known', async () => {
    expect((await testAdmin({ access: sessions }).ask('/healthz')).body).not.toHaveProperty('loginUrl');
  });

  it.each(['', 'javascript:alert(1)', 'data:text/html,', 7, 'http://['])('cannot be %j', (loginUrl) => {
    expect(() => testAdmin({ access: sessions, loginUrl: loginUrl as never })).toThrow(
      /^loginUrl: got .*, wanted a path/,
    );
  });
});

it.each([
  [undefined, /access: got undefined, wanted tokens, a function of the request, or 'loopback'/],
  ['everybody', /access: got "?'?everybody/],
])('access %j is refused when the API is made', (access, problem) => {
  const { mooring } = harness();
  expect(() => createAdmin({ mooring, access: access as never })).toThrow(problem);
});
