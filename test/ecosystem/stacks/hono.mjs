import { serve, upgradeWebSocket } from '@hono/node-server';
import { Hono } from 'hono';
import { managerOf, moored } from 'mooring/hono';
import { WebSocketServer } from 'ws';
import { running } from './support/http.mjs';

/** @type {readonly import('../types.js').Stack[]} */
export const stacks = [
  {
    title: 'Hono with the helper of @hono/node-server',
    packages: ['hono', '@hono/node-server', 'ws'],
    client: 'ws',
    path: '/chat',
    start({ mooring, authenticate: whoIs, port, seen }) {
      const authenticate = (c) => whoIs(c.env.incoming);
      const app = new Hono();

      const server = new WebSocketServer({ noServer: true });
      const admit = moored({ server, mooring, authenticate });

      const chat = upgradeWebSocket(() => ({
        onOpen: (event, socket) => seen(managerOf(socket.raw)),
        onMessage: ({ data }, socket) => socket.send(data),
      }));
      app.get('/chat', admit, chat);
      const http = serve({ fetch: app.fetch, port, websocket: { server } });

      return running(http, mooring);
    },
  },
];
