import { serve, upgradeWebSocket } from '@hono/node-server';
import { Hono } from 'hono';
import { attach, managerOf } from 'mooring/ws';
import { WebSocketServer } from 'ws';
import { running } from './support/http.mjs';

/** @type {readonly import('../types.js').Stack[]} */
export const stacks = [
  {
    title: 'Hono with the helper of @hono/node-server',
    packages: ['hono', '@hono/node-server', 'ws'],
    client: 'ws',
    path: '/chat',
    start({ mooring, authenticate, port, seen }) {
      const app = new Hono();
      app.get(
        '/chat',
        upgradeWebSocket(() => ({
          onOpen: (event, socket) => seen(managerOf(socket.raw)),
          onMessage: ({ data }, socket) => socket.send(data),
        })),
      );

      const server = new WebSocketServer({ noServer: true });
      attach(server, { mooring, authenticate });
      const http = serve({ fetch: app.fetch, port, websocket: { server } });

      return running(http, mooring);
    },
  },
];
