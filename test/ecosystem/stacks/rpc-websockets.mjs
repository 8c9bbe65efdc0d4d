import { once } from 'node:events';
import { attach, managerOf } from 'mooring/ws';
import { Server } from 'rpc-websockets';
import { short } from './support/short.mjs';

/** @type {readonly import('../types.js').Stack[]} */
export const stacks = [
  {
    title: 'rpc-websockets',
    packages: ['rpc-websockets', 'ws'],
    client: 'rpc-websockets',
    skips: short,
    async start({ mooring, authenticate, port, seen }) {
      const server = new Server({ port });
      attach(server.wss, { mooring, authenticate });

      server.register('hello', () => 'hello');
      server.wss.on('connection', (socket) => seen(managerOf(socket)));

      const close = async () => {
        await mooring.stop();
        await server.close();
      };
      if (server.wss.address() === null) await once(server, 'listening');
      return { port: server.wss.address().port, close };
    },
  },
];
