import { createServer } from 'node:http';
import express from 'express';
import { attach, managerOf } from 'mooring/ws';
import { ExpressPeerServer } from 'peer';
import { WebSocketServer } from 'ws';
import { running } from './support/http.mjs';
import { short } from './support/short.mjs';

/** @type {readonly import('../types.js').Stack[]} */
export const stacks = [
  {
    title: 'PeerJS server',
    packages: ['peer', 'ws'],
    client: 'ws',
    path: '/peerjs?key=peerjs&token=a',
    skips: short,
    start({ mooring, authenticate, seen }) {
      const app = express();
      const http = createServer(app);
      const createWebSocketServer = (options) => {
        const server = new WebSocketServer(options);
        attach(server, { mooring, authenticate });
        server.on('connection', (socket) => seen(managerOf(socket)));
        return server;
      };
      app.use('/', ExpressPeerServer(http, { createWebSocketServer }));

      http.listen(0);
      return running(http, mooring);
    },
  },
];
