import { attach, managerOf } from 'mooring/ws';
import { RPCServer } from 'ocpp-rpc';
import { short } from './support/short.mjs';

/** @type {readonly import('../types.js').Stack[]} */
export const stacks = [
  {
    title: 'OCPP with ocpp-rpc',
    packages: ['ocpp-rpc', 'ws'],
    client: 'ocpp-rpc',
    skips: short,
    async start({ mooring, authenticate, seen }) {
      const server = new RPCServer({ protocols: ['ocpp1.6'], pingIntervalMs: 0 }); // 0: no heartbeat of its own
      attach(server._wss, { mooring, authenticate });

      server._wss.on('connection', (socket) => seen(managerOf(socket)));
      server.on('client', (client) => client.handle('Hello', () => 'hello'));

      const close = async () => {
        await mooring.stop();
        await server.close();
      };
      const http = await server.listen(0);
      return { port: http.address().port, close };
    },
  },
];
