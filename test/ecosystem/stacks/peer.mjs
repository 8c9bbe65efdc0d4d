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
        return server;
      };
      const peerServer = ExpressPeerServer(http, { createWebSocketServer });
      app.use('/', peerServer);

      peerServer.on('connection', (client) => seen(managerOf(client.getSocket())));

      http.listen(0);
      return running(http, mooring);
    },
  },
];
