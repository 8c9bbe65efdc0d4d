import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OpenAPIHono } from '@hono/zod-openapi';
import { describe, expect, it } from 'vitest';
import { addDashboard } from '../../../src/admin/assets.js';
import type { AdminEnv } from '../../../src/admin/parts.js';
import { afterThisTest } from '../../support/setup.js';

/** The page, mounted in Express, which says under which URL it was asked for. */
async function openedAs(originalUrl?: string): Promise<readonly [status: number, location: string | null]> {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-dashboard-'));
  afterThisTest(() => {
    rmSync(folder, { recursive: true });
  });
  writeFileSync(join(folder, 'index.html'), '<!doctype html>');
  const app = new OpenAPIHono<AdminEnv>();
  addDashboard(app, folder);
  const incoming = Object.assign(new IncomingMessage(new Socket()), originalUrl === undefined ? {} : { originalUrl });
  const { status, headers } = await app.request('/', {}, { incoming });
  return [status, headers.get('location')];
}

describe('the dashboard below a path', () => {
  it.each([
    ['/ops', './ops/'],
    ['/tools/ops', './ops/'],
    ['/ops?from=mail', './ops/?from=mail'],
    ['//evil.example', './evil.example/'],
    ['/https://evil.example', './evil.example/'],
  ])('%s is sent to the path with the final slash, on this origin', async (url, location) => {
    expect(await openedAs(url)).toEqual([308, location]);
  });

  it.each([[undefined], ['/'], ['/ops/'], ['/ops/?from=mail'], ['/?from=/mail/'], ['/ops/?from=/mail']])(
    '%s is the page',
    async (url) => {
      expect(await openedAs(url)).toEqual([200, null]);
    },
  );
});
