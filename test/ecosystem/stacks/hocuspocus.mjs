import { createServer } from 'node:http';
import { Server } from '@hocuspocus/server';
import { attach, managerOf } from 'mooring/ws';
import { WebSocketServer } from 'ws';
import { running } from './support/http.mjs';

/** @type {readonly import('../types.js').Stack[]} */
export const stacks = [
  {
    title: 'Hocuspocus 3',
    packages: ['@hocuspocus/server', '@hocuspocus/provider', 'ws'],
    client: 'hocuspocus',
    async start({ mooring, authenticate, port, seen }) {
      const server = new Server({ port, stopOnSignals: false });
      attach(server.webSocketServer, { mooring, authenticate });

      server.webSocketServer.on('connection', (socket) => seen(managerOf(socket)));

      const close = async () => {
        await mooring.stop();
        await server.destroy();
      };
      await server.listen();
      return { port: server.address.port, close };
    },
  },
  {
    title: 'Hocuspocus 4',
    packages: ['@hocuspocus/server-4', '@hocuspocus/provider', 'ws'],
    needsNode: 22,
    client: 'hocuspocus',
    async start({ mooring, authenticate, seen }) {
      const { Hocuspocus } = await import('@hocuspocus/server-4');

      const hocuspocus = new Hocuspocus({ quiet: true });
      const http = createServer();

      const server = new WebSocketServer({ server: http });
      attach(server, { mooring, authenticate });

      server.on('connection', (socket, request) => {
        const webRequest = new Request(new URL(request.url, 'http://localhost'), { headers: request.headers });
        const connection = hocuspocus.handleConnection(socket, webRequest);
        socket.on('message', (bytes) => connection.handleMessage(bytes));
        socket.on('close', (code, reason) => connection.handleClose({ code, reason: String(reason) }));
      });
      server.on('connection', (socket) => seen(managerOf(socket)));

      http.listen(0);
      return running(http, mooring);
    },
  },
];
