// A server whose first upgrade runs with a store of AsyncLocalStorage. Prints whether that store can be collected once its
// connection is gone, while others go on and Mooring's timers run. Needs --expose-gc.
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';

/** @param {string} path */
const built = (path) => import(new URL(`../../dist/${path}`, import.meta.url).href);
/** @type {typeof import('../../src/adapters/ws.js')} */
const { anonymous, attach } = await built('adapters/ws.js');
/** @type {typeof import('../../src/index.js')} */
const { createMooring } = await built('index.js');

const storage = new AsyncLocalStorage();
const http = createServer();
const server = new WebSocketServer({ noServer: true });
const mooring = createMooring({ env: {}, heartbeatIntervalMs: 200, backgroundCleanupIntervalMs: 300 });
attach(server, { mooring, authenticate: anonymous });
mooring.on('manager.released', () => undefined);

/** @type {WeakRef<object>[]} */
const stores = [];
http.on('upgrade', (request, stream, head) => {
  const store = { name: request.url };
  stores.push(new WeakRef(store));
  storage.run(store, () => {
    server.handleUpgrade(request, stream, head, (socket) => {
      server.emit('connection', socket, request);
    });
  });
});
await new Promise((resolve) => http.listen(0, '127.0.0.1', () => resolve(undefined)));
const address = http.address();
const port = typeof address === 'object' ? address?.port : null;

/** @param {string} user */
async function dial(user) {
  const client = new WebSocket(`ws://127.0.0.1:${port}/?user_id=${user}&thread_id=thread_1`);
  await once(client, 'open');
  return client;
}

const first = await dial('ada');
const other = await dial('bob');
first.close();
await once(first, 'close');
for (let i = 0; i < 40 && stores[0]?.deref() !== undefined; i++) {
  await sleep(100);
  globalThis.gc?.();
}
console.log(stores[0]?.deref() === undefined ? 'collected' : 'kept');
other.terminate();
process.exit(0);
