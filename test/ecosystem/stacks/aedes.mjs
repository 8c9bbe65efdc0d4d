import { createServer } from 'node:http';
import { Aedes } from 'aedes';
import { attach, managerOf } from 'mooring/ws';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { running } from './support/http.mjs';
import { short } from './support/short.mjs';

/** @type {readonly import('../types.js').Stack[]} */
export const stacks = [
  {
    title: 'MQTT with aedes',
    packages: ['aedes', 'mqtt', 'ws'],
    client: 'mqtt',
    replaced: { text: /^close/ }, // MQTT has no close codes
    skips: short,
    async start({ mooring, authenticate, seen }) {
      const broker = await Aedes.createBroker();
      const http = createServer();

      const server = new WebSocketServer({ server: http });
      attach(server, { mooring, authenticate });

      server.on('connection', (socket, request) => {
        seen(managerOf(socket));

        broker.handle(createWebSocketStream(socket), request);
      });

      http.listen(0);
      return running(http, mooring);
    },
  },
];
