import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { attach } from '../src/adapters/socket-io.js';
import { createMooring, type Mooring } from '../src/index.js';
import { bytes, cpuUs } from './support/usage.js';
import { serveCalls } from './support/worker.js';
import type { ServerCalls } from './ws-server.js';

// `plain` is a Socket.IO server as its guide has it; `moored` is the same with Mooring. Both echo.

const http = createServer();
const io = new Server(http);
const mooring = process.argv[2] === 'moored' ? moor() : null;

io.on('connection', (socket) => {
  socket.on('message', (content: unknown) => {
    socket.emit('message', content);
  });
});

serveCalls<ServerCalls>({
  async listen() {
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    return (http.address() as AddressInfo).port;
  },
  cpuUs,
  bytes,
  count: () => ({ connections: io.sockets.sockets.size, managers: mooring?.managerCount ?? 0 }),
});

function moor(): Mooring {
  const made = createMooring({ environment: 'production', env: {} });
  attach(io, {
    mooring: made,
    authenticate: ({ handshake }) => {
      const { user_id: userId, thread_id: threadId } = handshake.query;
      return { userId: String(userId), threadId: String(threadId) };
    },
  });
  return made;
}
