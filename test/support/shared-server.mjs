/** A `ws` server whose quota is shared with other processes. Says `in` to each connection that is admitted. */
import { WebSocketServer } from 'ws';
import { listen, moduleOf, optionsOfProcess, sharedMooring, tell } from './shared-quota.mjs';

/** @typedef {import('./shared-quota.mjs').SharedOptions & { readonly port: number }} ServerOptions */

/** @type {ServerOptions} */
const options = optionsOfProcess();
const { attach } = /** @type {typeof import('../../src/adapters/ws.js')} */ (await moduleOf(options, 'ws'));
const mooring = await sharedMooring(options);
const server = new WebSocketServer({ port: options.port, host: '0.0.0.0', backlog: 8_192 });
attach(server, {
  mooring,
  authenticate: ({ url }) => {
    const query = new URLSearchParams(url?.split('?')[1]);
    return { userId: query.get('userId') ?? '', threadId: query.get('threadId') ?? '' };
  },
});
server.on('connection', (socket) => {
  socket.on('error', () => undefined);
  socket.send('in');
});
server.on('listening', () => {
  const address = server.address();
  tell({ what: 'ready', port: typeof address === 'object' && address !== null ? address.port : 0 });
});

listen((order) => {
  if (order !== 'stop') return;
  void mooring.stop().then(() => {
    server.close();
    process.exit(0);
  });
});
