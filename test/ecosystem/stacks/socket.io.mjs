import { once } from 'node:events';
import { createServer } from 'node:http';
import { attach, managerOf } from 'mooring/socket.io';
import { Server } from 'socket.io';
import { Server as OldestServer } from 'socket.io-oldest';
import { whoIs } from './support/who-is.mjs';

/** @param {typeof Server} Server @returns {Omit<import('../types.js').Stack, 'title' | 'packages'>} */
function withServer(Server) {
  return {
    client: 'socket.io',
    ways: ['websocket', 'polling', 'upgrade'],
    refused: { text: /^connect_error quota/ },
    replaced: { text: /^mooring replaced/ },
    drained: { text: /^mooring drain/ },
    async start({ mooring, seen }) {
      const http = createServer();
      const io = new Server(http);
      attach(io, { mooring, authenticate: (socket) => whoIs(socket.handshake.auth) });

      io.on('connection', (socket) => {
        seen(managerOf(socket));
        socket.on('echo', (text, answer) => answer(text));
      });

      const close = async () => {
        await mooring.stop();
        await io.close();
      };
      http.listen(0);
      await once(http, 'listening');
      return { port: http.address().port, close };
    },
  };
}

/** @type {readonly import('../types.js').Stack[]} */
export const stacks = [
  { title: 'Socket.IO', packages: ['socket.io'], ...withServer(Server) },
  {
    title: 'Socket.IO',
    packages: ['socket.io-oldest'],
    ...withServer(OldestServer),
  },
];
