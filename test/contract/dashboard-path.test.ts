import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { OpenAPIHono } from '@hono/zod-openapi';
import express from 'express';
import { describe, expect, it } from 'vitest';
import { addDashboard } from '../../src/admin/assets.js';
import type { AdminEnv } from '../../src/admin/parts.js';
import { afterThisTest } from '../support/setup.js';

/** The page under a URL of an Express application, which has mounted it with `app.use(path, …)`. */
async function openedAs(url: string, path: string): Promise<readonly [status: number, location: string | null]> {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-dashboard-'));
  afterThisTest(() => {
    rmSync(folder, { recursive: true });
  });
  writeFileSync(join(folder, 'index.html'), '<!doctype html>');
  const dashboard = new OpenAPIHono<AdminEnv>();
  addDashboard(dashboard, folder);
  const app = express();
  const listener = getRequestListener(dashboard.fetch);
  app.get('/alias', (request, response) => {
    request.url = '/';
    void listener(request, response);
  });
  app.use(path, (request, response) => void listener(request, response));
  const server = createServer(app as RequestListener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterThisTest(() => {
    server.close();
    server.closeAllConnections();
  });
  const request = httpRequest({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', path: url }).end();
  const [{ statusCode = 0, headers }] = (await once(request, 'response')) as [IncomingMessage];
  return [statusCode, headers.location ?? null];
}

describe('the dashboard below a path', () => {
  it.each([
    ['/ops', '/ops', './ops/'],
    ['/tools/ops', '/tools/ops', './ops/'],
    ['/ops?from=mail', '/ops', './ops/?from=mail'],
    ['/ops?from=/mail', '/ops', './ops/?from=/mail'],
  ])('%s of an application that has it at %s is sent to the path with the final slash', async (url, path, location) => {
    expect(await openedAs(url, path)).toEqual([308, location]);
  });

  it.each([
    ['/ops/', '/ops'],
    ['/ops/?from=mail', '/ops'],
    ['/', '/'],
    ['/?from=/mail', '/'],
    ['/alias', '/'],
    ['http://evil.example', '/'],
  ])('%s of an application that has it at %s is the page', async (url, path) => {
    expect(await openedAs(url, path)).toEqual([200, null]);
  });

  it.each([['//evil.example'], ['/https://evil.example']])('%s leads to no other origin', async (url) => {
    const [status, location] = await openedAs(url, '/ops');
    expect([status, location]).toEqual([404, null]);
  });
});
