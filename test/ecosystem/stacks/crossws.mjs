import { createServer } from 'node:http';
import crossws from 'crossws/adapters/node';
import { createApp, defineWebSocketHandler, toNodeListener } from 'h3';
import { attach, managerOf } from 'mooring/ws';
import { WebSocketServer } from 'ws';
import { running } from './support/http.mjs';

/** @type {readonly import('../types.js').Stack[]} */
export const stacks = [
  {
    title: 'crossws',
    packages: ['crossws', 'ws'],
    client: 'ws',
    start({ mooring, authenticate, seen }) {
      const wss = new WebSocketServer({ noServer: true });
      attach(wss, { mooring, authenticate });

      const hooks = {
        open: (peer) => seen(managerOf(peer.websocket)),
        message: (peer, message) => peer.send(message.text()),
      };
      const { handleUpgrade } = crossws({ wss, hooks, idleTimeout: 0 }); // 0: no heartbeat of its own

      const http = createServer();
      http.on('upgrade', handleUpgrade);
      http.listen(0);
      return running(http, mooring);
    },
  },
  {
    title: 'h3 with crossws',
    packages: ['h3', 'crossws', 'ws'],
    client: 'ws',
    path: '/chat',
    start({ mooring, authenticate, seen }) {
      const wss = new WebSocketServer({ noServer: true });
      attach(wss, { mooring, authenticate });

      const app = createApp({ websocket: { wss, idleTimeout: 0 } });

      const http = createServer(toNodeListener(app));

      http.on('upgrade', crossws(app.websocket).handleUpgrade);

      const chat = defineWebSocketHandler({
        open: (peer) => seen(managerOf(peer.websocket)),
        message: (peer, message) => void peer.send(message.text()),
      });
      app.use('/chat', chat);

      http.listen(0);
      return running(http, mooring);
    },
  },
];
