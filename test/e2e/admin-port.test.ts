import { once } from 'node:events';
import { METHODS, request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startMooring } from '../support/mooring-process.js';

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
