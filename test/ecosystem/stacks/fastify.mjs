import websocket from '@fastify/websocket';
import oldestWebsocket from '@fastify/websocket-oldest';
import Fastify from 'fastify';
import OldestFastify from 'fastify-oldest';
import { attach, managerOf } from 'mooring/ws';

/** @param {typeof Fastify} Fastify @param {typeof websocket} websocket @returns {Omit<import('../types.js').Stack, 'packages'>} */
function withPackages(Fastify, websocket) {
  return {
    title: 'Fastify with @fastify/websocket',
    client: 'ws',
    path: '/chat',
    async start({ mooring, authenticate, seen }) {
      const app = Fastify();
      app.addHook('preClose', () => mooring.stop());
      await app.register(websocket);
      attach(app.websocketServer, { mooring, authenticate });

      app.get('/chat', { websocket: true }, (socket) => {
        seen(managerOf(socket));
        socket.on('message', (text) => socket.send(String(text)));
      });

      await app.listen({ port: 0, host: '127.0.0.1' });
      return { port: app.server.address().port, close: () => app.close() };
    },
  };
}

/** @type {readonly import('../types.js').Stack[]} */
export const stacks = [
  { packages: ['fastify', '@fastify/websocket', 'ws'], ...withPackages(Fastify, websocket) },
  { packages: ['fastify-oldest', '@fastify/websocket-oldest', 'ws'], ...withPackages(OldestFastify, oldestWebsocket) },
];
