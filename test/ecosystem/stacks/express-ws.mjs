import express from 'express';
import expressWs from 'express-ws';
import expressWsAndWs7 from 'express-ws-and-ws-7';
import { attach, managerOf } from 'mooring/ws';
import { running } from './support/http.mjs';

/** @type {readonly import('../types.js').Stack[]} */
export const stacks = [
  {
    title: 'express-ws, with an override to ws 8',
    packages: ['express-ws', 'express', 'ws'],
    client: 'ws',
    path: '/chat',
    start({ mooring, authenticate, seen }) {
      const { app, getWss } = expressWs(express());
      attach(getWss(), { mooring, authenticate });

      app.ws('/chat', (socket) => {
        seen(managerOf(socket));
        socket.on('message', (text) => socket.send(String(text)));
      });

      return running(app.listen(0), mooring);
    },
  },
  {
    title: 'express-ws, with its own ws 7',
    packages: ['express-ws-and-ws-7'],
    client: 'ws',
    attachThrows: /ws before 8\.5/,
    start({ mooring, authenticate }) {
      const { app, getWss } = expressWsAndWs7(express());
      attach(getWss(), { mooring, authenticate });
      return running(app.listen(0), mooring);
    },
  },
];
