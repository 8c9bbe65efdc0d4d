import { createServer } from 'node:http';
import { attach, managerOf } from 'mooring/ws';
import { WebSocketServer } from 'ws';
import { running } from './support/http.mjs';

/** What a custom server uses of Next.js, which takes too long to start: its handler of requests, and that of upgrades. */
const app = {
  prepare: () => Promise.resolve(),
  getRequestHandler: () => (_, response) => response.end('a page'),
  getUpgradeHandler: () => (_, stream) => stream.end('HTTP/1.1 404 Not Found\r\n\r\n'),
};

/** @type {readonly import('../types.js').Stack[]} */
export const stacks = [
  {
    title: 'Custom server of Next.js, without Next.js itself',
    packages: ['ws'],
    client: 'ws',
    path: '/chat',
    async start({ mooring, authenticate, seen }) {
      await app.prepare();
      const http = createServer(app.getRequestHandler());

      const server = new WebSocketServer({ noServer: true });
      attach(server, { mooring, authenticate });

      server.on('connection', (socket) => {
        seen(managerOf(socket));
        socket.on('message', (text) => socket.send(String(text)));
      });

      const nextUpgrade = app.getUpgradeHandler();
      http.on('upgrade', (request, stream, head) => {
        const { pathname } = new URL(request.url, 'http://localhost');
        if (pathname !== '/chat') return nextUpgrade(request, stream, head);
        return server.handleUpgrade(request, stream, head, (socket) => server.emit('connection', socket, request));
      });

      http.listen(0);
      return running(http, mooring);
    },
  },
];
