import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { remote } from '../../core/support.js';
import { testAdmin, envOf, type TestRequest, type TestAdmin } from './support.js';

interface Operation {
  readonly responses: Readonly<Record<string, { content?: Readonly<Record<string, { schema: object }>> }>>;
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: object;
}

/** A good request and bad ones for each operation; a new operation has to be given its row. */
const cases: Readonly<
  Record<string, { path: string; good?: TestRequest; bad?: readonly (readonly [string, number, TestRequest?])[] }>
> = {
  'get /users': {
    path: '/users?sort=idle&limit=2',
    bad: [
      ['/users?limit=0', 400],
      ['/users?level=loud', 400],
      ['/users?x=1', 400],
    ],
  },
  'get /users/{id}': {
    path: '/users/ada',
    bad: [
      ['/users/nobody', 404],
      [`/users/${'x'.repeat(257)}`, 400],
    ],
  },
  'get /users/{id}/journal': { path: '/users/ada/journal', bad: [['/users/nobody/journal', 404]] },
  'post /users/{id}/check': { path: '/users/ada/check', bad: [['/users/nobody/check', 404]] },
  'post /users/{id}/cleanup': {
    path: '/users/ada/cleanup',
    good: { json: { dryRun: true, strategies: ['idle'] } },
    bad: [
      ['/users/nobody/cleanup', 404, { json: {} }],
      ['/users/ada/cleanup', 400, { json: { strategies: ['oldest'] } }],
      ['/users/ada/cleanup', 400, { json: { dryrun: true } }],
    ],
  },
  'post /users/{id}/emergency-cleanup': {
    path: '/users/ada/emergency-cleanup',
    good: { json: { dryRun: true, keep: 0 } },
    bad: [['/users/ada/emergency-cleanup', 400, { json: { keep: -1 } }]],
  },
  'delete /users/{id}/managers': { path: '/users/bob/managers', bad: [['/users/nobody/managers', 404]] },
  'get /managers/{key}': {
    path: '/managers/ada:thread_1',
    bad: [
      ['/managers/ada', 400],
      ['/managers/ada:thread_9', 404],
    ],
  },
  'delete /managers/{key}': { path: '/managers/ada:thread_2', bad: [['/managers/ada:thread_9', 404]] },
  'get /overview': { path: '/overview' },
  'get /kpis': { path: '/kpis' },
  'get /config': { path: '/config' },
  'get /me': { path: '/me' },
  'post /background-cleanup': {
    path: '/background-cleanup',
    good: { json: { dryRun: true } },
    bad: [['/background-cleanup', 400, { json: [] }]],
  },
  'get /events': {
    path: '/events',
    bad: [
      ['/events?types=nonsense', 400],
      ['/events?kinds=1', 400],
    ],
  },
};

async function populated(): Promise<{ on: TestAdmin; document: Document; ajv: Ajv2020 }> {
  const on = testAdmin({}, { config: { maxManagersPerUser: 5 } });
  await on.h.fill('ada', 4, remote);
  await on.h.fill('bob', 1, remote);
  const document = (await on.api('/openapi.json')).body as Document;
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'api', components: document.components });
  return { on, document, ajv };
}

/** References within the document are to what was added under its name. */
function pointed(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"api#/components/')) as object;
}

const operationsOf = ({ paths }: Document): string[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path.replace('/api/v1', '')}`),
  );

describe('the OpenAPI document', () => {
  it('has every operation, and is of version 3.1', async () => {
    const { document } = await populated();
    expect(document.openapi).toBe('3.1.0');
    expect(operationsOf(document).sort()).toEqual(Object.keys(cases).sort());
  });

  it.each(Object.keys(cases).filter((name) => name !== 'get /events'))('tells what %s answers', async (name) => {
    const { on, document, ajv } = await populated();
    const [method = '', path = ''] = name.split(' ');
    const { responses } = document.paths[`/api/v1${path}`]![method]!;
    const { path: asked, good = {}, bad = [] } = cases[name]!;
    const pending = on.api(asked, { ...good, method: method.toUpperCase() });
    await on.h.time.advance(10_000);
    const answer = await pending;
    expect(answer.status).toBe(200);
    const schema = pointed(responses['200']!.content!['application/json']!.schema);
    expect(ajv.validate(schema, answer.body) || ajv.errorsText()).toBe(true);
    for (const [badPath, status, request = {}] of bad) {
      const problem = await on.api(badPath, { ...request, method: method.toUpperCase() });
      expect([badPath, problem.status]).toEqual([badPath, status]);
      const wanted = pointed(responses[String(status)]!.content!['application/problem+json']!.schema);
      expect(ajv.validate(wanted, problem.body) || ajv.errorsText()).toBe(true);
    }
  });
});

describe('a body that cannot be read', () => {
  it.each([
    ['of no kind', undefined, 400],
    ['of another kind', 'text/plain', 415],
    ['from a form', 'application/x-www-form-urlencoded', 415],
  ])('%s is refused, so that no dry run is taken for a real one', async (_, contentType, status) => {
    const { h, admin } = testAdmin();
    const clients = await h.fill('ada', 1, remote);
    clients[0]!.manager.fail(new Error('broken'));
    const body = new TextEncoder().encode('{"dryRun":true}');
    const headers = contentType === undefined ? {} : { 'content-type': contentType };
    const request = new Request('http://127.0.0.1/api/v1/users/ada/cleanup', { method: 'POST', body, headers });
    expect((await admin.fetch(request, envOf({}))).status).toBe(status);
    expect(h.countOf('ada')).toBe(1);
  });

  it('of more than 16 KiB is refused', async () => {
    const { h, api } = testAdmin();
    await h.fill('ada', 1, remote);
    const json = { strategies: Array.from({ length: 4_000 }, () => 'idle') };
    expect(await api('/users/ada/cleanup', { method: 'POST', json })).toMatchObject({
      status: 413,
      body: { detail: 'The body has more than 16,384 bytes, which no request of this API needs.' },
    });
  });

  it.each(['', '  \n'])('is none where there is nothing in it: %j', async (body) => {
    const { h, admin } = testAdmin();
    const clients = await h.fill('ada', 1, remote);
    clients[0]!.manager.fail(new Error('broken'));
    const headers = { 'content-type': 'application/json' };
    const request = new Request('http://127.0.0.1/api/v1/users/ada/cleanup', { method: 'POST', body, headers });
    const pending = admin.fetch(request, envOf({}));
    await h.time.advance(10_000);
    expect([(await pending).status, h.countOf('ada')]).toEqual([200, 0]);
  });

  it('of more than 16 KiB is refused where none is wanted, too, as the document says', async () => {
    const { on, document } = await populated();
    const answer = await on.api('/users/ada/managers', { method: 'DELETE', json: 'x'.repeat(20_000) });
    expect([answer.status, on.h.countOf('ada')]).toEqual([413, 4]);
    expect(document.paths['/api/v1/users/{id}/managers']?.['delete']?.responses).toHaveProperty('413');
  });

  it('of another kind is told what is wanted', async () => {
    const headers = { 'content-type': 'text/plain' };
    expect(await testAdmin().api('/background-cleanup', { method: 'POST', json: {}, headers })).toMatchObject({
      status: 415,
      body: { hint: 'Send the header "content-type: application/json".' },
    });
  });
});

describe('HEAD', () => {
  it('of the event stream leaves nobody who watches', async () => {
    const { api } = testAdmin();
    const answer = await api('/events', { method: 'HEAD' });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    expect((await api('/overview')).body).toMatchObject({ viewers: { watching: 0 } });
  });
});

describe('another method', () => {
  it.each([
    ['GET', '/users/ada/cleanup', 'POST'],
    ['POST', '/users', 'GET, HEAD'],
    ['DELETE', '/users/ada', 'GET, HEAD'],
    ['PUT', '/managers/ada:thread_1', 'GET, HEAD, DELETE'],
    ['OPTIONS', '/events', 'GET, HEAD'],
  ])('%s of %s is refused with those there are', async (method, path, allow) => {
    const answer = await testAdmin().api(path, { method });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, allow]);
    expect(answer.body).toMatchObject({
      detail: `/api/v1${path} takes ${allow.replace(/, (\w+)$/, ' and $1')}, got ${method}.`,
    });
  });

  it('is refused beside the API, too', async () => {
    expect((await testAdmin().ask('/healthz', { method: 'POST' })).headers.get('allow')).toBe('GET, HEAD');
  });

  it.each(['/nowhere', '/users/ada/nowhere', '/users/ada/cleanup/now'])(
    'of nothing, %s, is not found',
    async (path) => {
      const answer = await testAdmin().api(path, { method: 'PUT' });
      expect(answer).toMatchObject({ status: 404, body: { detail: `There is no PUT /api/v1${path}.` } });
    },
  );
});

describe('what a route does not know', () => {
  it.each([
    ['DELETE', '/users/ada/managers?dryRun=true', {}, 'dryRun'],
    ['DELETE', '/users/ada/managers', { json: { dryRun: true } }, 'body'],
    ['DELETE', '/managers/ada:thread_1', { json: { dryRun: true } }, 'body'],
    ['POST', '/users/ada/cleanup?dryRun=true', { json: {} }, 'dryRun'],
    ['POST', '/users/ada/emergency-cleanup?evict=1', { json: {} }, 'evict'],
    ['POST', '/background-cleanup?dryRun', { json: {} }, 'dryRun'],
    ['POST', '/users/ada/check', { json: { dryRun: true } }, 'body'],
    ['GET', '/overview?foo=1', {}, 'foo'],
    ['GET', '/users/ada?foo=1', {}, 'foo'],
  ])('is refused by %s %s with %j, and nothing happens', async (method, path, request, field) => {
    const { h, api } = testAdmin();
    const clients = await h.fill('ada', 1, remote);
    clients[0]!.manager.fail(new Error('broken'));
    expect(await api(path, { method, ...request })).toMatchObject({ status: 400, body: { errors: [{ field }] } });
    expect(h.countOf('ada')).toBe(1);
  });
});
