import { once } from 'node:events';

/**
 * A server that runs, and how the recipes end it.
 *
 * @param {import('node:http').Server} http
 * @param {import('../../../../src/index.js').Mooring} mooring
 */
export async function running(http, mooring) {
  const close = async () => {
    await mooring.stop();
    http.close();
    http.closeAllConnections();
    await once(http, 'close');
  };
  if (!http.listening) await once(http, 'listening');
  return { port: /** @type {import('node:net').AddressInfo} */ (http.address()).port, close };
}
