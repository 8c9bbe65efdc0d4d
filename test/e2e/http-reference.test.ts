import { request } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { startCrowd } from '../support/crowd.js';
import { startMooring } from '../support/mooring-process.js';

const page = readFileSync(join(import.meta.dirname, '../../docs/reference/http.md'), 'utf8');

/** As curl sends it: a POST without a body has neither a length nor a kind. */
function ask(base: string, line: string): Promise<string> {
  const method = /-X (\w+)/.exec(line)?.[1] ?? 'GET';
  const body = /-d '([^']+)'/.exec(line)?.[1];
  const { pathname, search } = new URL(/'(http[^']+)'$/.exec(line)?.[1] ?? '');
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const asking = request(new URL(pathname + search, base), { method, headers }, (response) => {
      const told = (said: string): void => {
        resolve(`${response.statusCode ?? 0} ${said}`);
        response.destroy();
      };
      if (response.headers['content-type']?.includes('stream') === true) response.once('data', told);
      else text(response).then(told, reject);
    });
    asking.once('error', reject).end(body);
  });
}

describe('the HTTP reference', () => {
  it('has examples that a running server answers, all of them', async () => {
    const server = await startMooring();
    const crowd = await startCrowd();
    await crowd.settleAll([1, 2, 3].map((thread) => `${server.url}/?user_id=alice&thread_id=thread_${thread}`));
    const lines = [...page.matchAll(/^curl .+$/gm)].map(([line]) => line);
    expect(lines.length).toBeGreaterThan(12);
    // Whoever is released can be asked for no longer.
    const inOrder = lines.toSorted((a, b) => Number(a.includes('DELETE')) - Number(b.includes('DELETE')));
    const ofOne = inOrder.filter((line) => !line.includes('DELETE') || line.includes('/managers/'));
    const ofAll = inOrder.filter((line) => !ofOne.includes(line));
    for (const line of [...ofOne, ...ofAll]) expect(await ask(await server.adminUrl(), line), line).toMatch(/^200 ./);
    expect((await server.health()).managers).toBe(0);
  });
});
