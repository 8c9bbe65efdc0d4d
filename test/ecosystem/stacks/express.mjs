import express from 'express';
import { attach, managerOf } from 'mooring/ws';
import { WebSocketServer } from 'ws';
import { running } from './support/http.mjs';

/** @type {readonly import('../types.js').Stack[]} */
export const stacks = [
  {
    title: 'Express',
    packages: ['express', 'ws'],
    client: 'ws',
    path: '/chat',
    start({ mooring, authenticate, port, seen }) {
      const app = express();
      const http = app.listen(port);

      const server = new WebSocketServer({ server: http, path: '/chat' });
      attach(server, { mooring, authenticate });

      server.on('connection', (socket) => {
        seen(managerOf(socket));
        socket.on('message', (text) => socket.send(String(text)));
      });

      return running(http, mooring);
    },
  },
];
