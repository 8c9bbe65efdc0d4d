import { createAdmin, type Admin, type AdminOptions } from '../../../src/admin/admin.js';
import { afterThisTest } from '../../support/setup.js';
import { harness, type Harness, type HarnessOptions } from '../../core/support.js';

/** What was answered. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** A request, as far as it differs from a plain GET of this machine. */
export interface TestRequest {
  readonly method?: string;
  readonly json?: unknown;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly address?: string;
}

/** An admin API on a Mooring under simulated time. */
export interface TestAdmin {
  readonly h: Harness;
  readonly admin: Admin;
  ask(path: string, request?: TestRequest): Promise<Answer>;
  /** As `ask`, with the path below the API's. */
  api(path: string, request?: TestRequest): Promise<Answer>;
}

/** Closed, with its Mooring, when the test is over. */
export function testAdmin(options: Partial<AdminOptions> = {}, harnessOptions: HarnessOptions = {}): TestAdmin {
  const config = { journalBytes: 2 ** 20, ...harnessOptions.config };
  const h = harness({ ...harnessOptions, config });
  const admin = createAdmin({ mooring: h.mooring, access: 'loopback', version: '1.2.3', ...options });
  afterThisTest(() => {
    admin.close();
  });
  const ask = async (path: string, request: TestRequest = {}): Promise<Answer> => {
    const response = await admin.fetch(requestOf(path, request), envOf(request));
    const text = await response.text();
    const isJson = (response.headers.get('content-type') ?? '').includes('json');
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  };
  return { h, admin, ask, api: (path, request) => ask(`/api/v1${path}`, request) };
}

export function requestOf(path: string, { method = 'GET', json, token, headers = {} }: TestRequest): Request {
  return new Request(`http://127.0.0.1:9090${path}`, {
    method,
    headers: {
      host: '127.0.0.1:9090',
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(json !== undefined && { body: JSON.stringify(json) }),
  });
}

/** As `@hono/node-server` gives it. */
export function envOf({ address = '127.0.0.1' }: TestRequest): unknown {
  return { incoming: { socket: { remoteAddress: address, remotePort: 1, remoteFamily: 'IPv4' } } };
}
