import Koa from 'koa';
import websockify from 'koa-websocket';
import { attach, managerOf } from 'mooring/ws';
import { running } from './support/http.mjs';

/** @type {readonly import('../types.js').Stack[]} */
export const stacks = [
  {
    title: 'Koa with koa-websocket',
    packages: ['koa', 'koa-websocket', 'ws'],
    client: 'ws',
    start({ mooring, authenticate, port, seen }) {
      const app = websockify(new Koa());

      app.ws.use(({ websocket }) => {
        seen(managerOf(websocket));
        websocket.on('message', (text) => websocket.send(String(text)));
      });

      const http = app.listen(port);
      attach(app.ws.server, { mooring, authenticate });

      return running(http, mooring);
    },
  },
];
