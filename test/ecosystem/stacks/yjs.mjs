import { docs, setupWSConnection } from '@y/websocket-server/utils';
import { createServer } from 'node:http';
import { attach, managerOf } from 'mooring/ws';
import { WebSocketServer } from 'ws';
import { running } from './support/http.mjs';

/** @type {readonly import('../types.js').Stack[]} */
export const stacks = [
  {
    title: 'Yjs with y-websocket',
    packages: ['y-websocket', '@y/websocket-server', 'ws'],
    client: 'y-websocket',
    async start({ mooring, authenticate, seen }) {
      const http = createServer();

      const server = new WebSocketServer({ server: http });
      attach(server, { mooring, authenticate });

      server.on('connection', (socket, request) => {
        seen(managerOf(socket));

        setupWSConnection(socket, request);
      });

      http.listen(0);
      const { port, close } = await running(http, mooring);
      const closeAll = async () => {
        await close();

        for (const document of docs.values()) document.destroy();
      };
      return { port, close: closeAll };
    },
  },
];
