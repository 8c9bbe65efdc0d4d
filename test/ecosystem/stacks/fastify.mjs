import oldestWebsocket from '@fastify/websocket-oldest';
import Fastify from 'fastify';
import OldestFastify from 'fastify-oldest';
import { mooringFastify } from 'mooring/fastify';
import { attach, managerOf } from 'mooring/ws';

const common = { client: 'ws', path: '/chat' };

/** @type {readonly import('../types.js').Stack[]} */
export const stacks = [
  {
    title: 'Fastify with `mooring/fastify`',
    packages: ['fastify', '@fastify/websocket', 'ws'],
    ...common,
    async start({ mooring, authenticate: whoIs, seen }) {
      const authenticate = (request) => whoIs(request.raw);
      const app = Fastify();
      await app.register(mooringFastify, { mooring, authenticate });

      app.get('/chat', { websocket: true }, (socket, request) => {
        seen(request.manager);
        socket.on('message', (text) => socket.send(String(text)));
      });

      return listening(app);
    },
  },
  {
    title: 'Fastify with `attach`',
    packages: ['fastify-oldest', '@fastify/websocket-oldest', 'ws'],
    ...common,
    async start({ mooring, authenticate, seen }) {
      const websocket = oldestWebsocket;
      const app = OldestFastify();
      app.addHook('preClose', () => mooring.stop());
      await app.register(websocket);
      attach(app.websocketServer, { mooring, authenticate });

      app.get('/chat', { websocket: true }, (socket) => {
        seen(managerOf(socket));
        socket.on('message', (text) => socket.send(String(text)));
      });

      return listening(app);
    },
  },
];

async function listening(app) {
  await app.listen({ port: 0, host: '127.0.0.1' });
  return { port: app.server.address().port, close: () => app.close() };
}
