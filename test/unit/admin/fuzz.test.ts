import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { remote } from '../../core/support.js';
import { testAdmin, envOf } from './support.js';

const segment = fc.oneof(
  fc.constantFrom(
    'api',
    'v1',
    'users',
    'managers',
    'ada',
    'ada:thread_1',
    'journal',
    'check',
    'cleanup',
    'kpis',
    'events',
  ),
  fc.constantFrom('..', '.', '%2e%2e', '%2F', '%00', '%', '%zz', '=', '=..', '*', ':id', '{id}', '<img>', '%1b[31m'),
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }).map(encodeURIComponent),
);
const path = fc.array(segment, { maxLength: 6 }).map((segments) => `/${segments.join('/')}`);
const apiPath = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => `/api/v1/${segments.join('/')}`);
const query = fc
  .option(fc.webQueryParameters({ size: 'small' }), { nil: '' })
  .map((text) => (text === '' ? '' : `?${text}`));
const method = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'BREW');
const body = fc.option(
  fc.oneof(
    fc.json(),
    fc.string(),
    fc
      .record({ dryRun: fc.anything(), strategies: fc.anything(), keep: fc.anything() })
      .map((value) => JSON.stringify(value, plain)),
  ),
);
const headers = fc.dictionary(
  fc.constantFrom(
    'content-type',
    'origin',
    'host',
    'authorization',
    'last-event-id',
    'content-length',
    'accept',
    'x-y',
  ),
  fc.oneof(
    fc.constantFrom('application/json', 'text/plain', 'null', 'Bearer', 'Bearer x', '-1', '127.0.0.1', 'abc-1'),
    fc.stringMatching(/^[\x20-\x7e]{0,20}$/),
  ),
);

/** What JSON has no word for. */
function plain(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

function requestFrom(asked: {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string | null;
}): Request | null {
  try {
    const hasBody = asked.body !== null && !['GET', 'HEAD'].includes(asked.method);
    return new Request(`http://127.0.0.1:9090${asked.url}`, {
      method: asked.method,
      headers: asked.headers,
      ...(hasBody && { body: asked.body }),
    });
  } catch {
    return null; // no client can send it either
  }
}

describe('whatever is sent', () => {
  it('is answered, never with a failure of our own', async () => {
    const { h, admin } = testAdmin();
    await h.fill('ada', 3, remote);
    const request = fc.record({
      method,
      url: fc.tuple(fc.oneof(path, apiPath), query).map((parts) => parts.join('')),
      headers,
      body,
    });
    await fc.assert(
      fc.asyncProperty(request, async (asked) => {
        const sent = requestFrom(asked);
        if (sent === null) return;
        const pending = admin.fetch(sent, envOf({}));
        await h.time.advance(10_000);
        const { status, body: stream } = await pending;
        await stream?.cancel();
        expect(status).toBeLessThan(500);
      }),
      { numRuns: 400 },
    );
    expect(h.said('admin.failed')).toEqual([]);
  }, 60_000);
});
