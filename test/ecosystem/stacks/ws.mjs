import { once } from 'node:events';
import { promisify } from 'node:util';
import { attach, managerOf } from 'mooring/ws';
import { WebSocketServer } from 'ws';
import { WebSocketServer as OldestWebSocketServer } from 'ws-oldest';

/** @param {typeof WebSocketServer} WebSocketServer @returns {Omit<import('../types.js').Stack, 'title' | 'packages'>} */
function withServer(WebSocketServer) {
  return {
    client: 'ws',
    async start({ mooring, authenticate, seen }) {
      const server = new WebSocketServer({ port: 0 });
      attach(server, { mooring, authenticate });

      server.on('connection', (socket) => {
        seen(managerOf(socket));
        socket.on('message', (text) => socket.send(String(text)));
      });

      const close = async () => {
        await mooring.stop();
        await promisify((done) => server.close(done))();
      };
      await once(server, 'listening');
      return { port: server.address().port, close };
    },
  };
}

/** @type {readonly import('../types.js').Stack[]} */
export const stacks = [
  { title: 'ws', packages: ['ws'], ...withServer(WebSocketServer) },
  { title: 'ws', packages: ['ws-oldest'], ...withServer(OldestWebSocketServer) },
];
