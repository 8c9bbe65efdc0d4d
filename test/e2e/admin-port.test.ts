import { once } from 'node:events';
import { METHODS, request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startMooring } from '../support/mooring-process.js';
import { afterThisTest } from '../support/setup.js';

const paths = ['/', '/healthz', '/metrics', '/nowhere', '/api/v1/overview', '/api/v1/users/ada/cleanup', '/api/v1/me'];

async function adminPort(): Promise<number> {
  return Number(new URL(await (await startMooring([])).adminUrl()).port);
}

interface Asked {
  readonly port: number;
  readonly method: string;
  readonly path: string;
}

async function statusOf({ port, method, path }: Asked): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  const asking = request({ host: '127.0.0.1', port, method, path, headers, agent: false }).end();
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  answer.destroy();
  return answer.statusCode ?? 0;
}

describe('the admin port', () => {
  it('answers every method, and never with a failure', async () => {
    const port = await adminPort();
    // CONNECT is for proxies: no request ever comes of it.
    for (const method of METHODS.filter((one) => one !== 'CONNECT'))
      for (const path of paths) expect(await statusOf({ port, method, path }), `${method} ${path}`).toBeLessThan(500);
  });

  it('answers checks of health that name no host', async () => {
    const socket = connect(await adminPort(), '127.0.0.1').setEncoding('utf8');
    socket.write('GET /healthz HTTP/1.0\r\n\r\n');
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    socket.destroy();
  });
});

describe('the admin port, with few descriptors', () => {
  it('answers however many watch the events', async () => {
    const server = await startMooring([], 'ulimit -n 256');
    const port = Number(new URL(await server.adminUrl()).port);
    for (let i = 0; i < 60; i++) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      afterThisTest(() => {
        socket.destroy();
      });
      socket.write('GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    }
    await sleep(500);
    expect(await statusOf({ port, method: 'GET', path: '/api/v1/overview' })).toBe(200);
  });
});

describe('an operator with a token', () => {
  const token = 'a-token-that-operators-have';

  it.each(['/', '/nowhere', '/healthz', '/metrics', '/api/v1/overview', '/api/v1/openapi.json'])(
    'gets in though 300 strangers send slow bodies to %s',
    async (path) => {
      const server = await startMooring([], `export MOORING_ADMIN_ACT_TOKEN=${token}`);
      const url = await server.adminUrl();
      for (let i = 0; i < 300; i++) {
        const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined);
        socket.write(`POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nx`);
        afterThisTest(() => {
          socket.destroy();
        });
      }
      await sleep(200);
      const headers = { authorization: `Bearer ${token}` };
      expect((await fetch(`${url}/api/v1/overview`, { headers })).status).toBe(200);
    },
  );

  it('gets in though 300 with a token that may only look send slow bodies', async () => {
    const tokens = 'export MOORING_ADMIN_ACT_TOKEN=operators-may-act MOORING_ADMIN_READ_TOKEN=viewers-may-look';
    const server = await startMooring([], tokens);
    const url = await server.adminUrl();
    for (let i = 0; i < 300; i++) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined);
      socket.write(
        'GET /api/v1/overview HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer viewers-may-look\r\nContent-Length: 1000\r\n\r\nx',
      );
      afterThisTest(() => {
        socket.destroy();
      });
    }
    await sleep(200);
    const headers = { authorization: 'Bearer operators-may-act' };
    expect((await fetch(`${url}/api/v1/overview`, { headers })).status).toBe(200);
  });
});
