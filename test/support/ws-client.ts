import { once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';
import { afterThisTest } from './setup.js';

/** A client that is terminated when the test is over. Its errors are no failure of the test. */
export function dial(url: string, options: ClientOptions = {}): WebSocket {
  const client = new WebSocket(url, options);
  client.on('error', () => undefined);
  afterThisTest(() => {
    client.terminate();
  });
  return client;
}

/** Code and reason of its close. */
export async function closeOf(client: WebSocket): Promise<string> {
  const [code, reason] = (await once(client, 'close')) as [number, Buffer];
  return `${code} ${reason.toString()}`;
}
