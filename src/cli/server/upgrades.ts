import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Connections } from './connection-cap.js';

/** Completes a WebSocket handshake. */
type Handshake = (request: IncomingMessage, stream: Duplex, head: Buffer) => void;

/**
 * Gives WebSocket handshakes to `handshake`. A request for another protocol is answered as a plain request, which HTTP
 * always allows: Java's HttpClient offers `h2c` with each of its requests.
 */
export function routeUpgrades(server: Server, connections: Connections, handshake: Handshake): void {
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const { socket, headers } = request;
    connections.upgraded(socket);
    if (headers.upgrade?.trim().toLowerCase() === 'websocket') handshake(request, stream, head);
    else {
      const read = Buffer.concat([headWithoutUpgrade(request), head]);
      connections.afterAnswers(socket, () => giveBack(server, socket, read));
    }
  });
}

/** Lets HTTP start again on the connection, with the bytes that were read already. */
function giveBack(server: Server, socket: Socket, read: Buffer): void {
  if (socket.destroyed) return;
  socket.unshift(read);
  server.emit('connection', socket);
}

/** Headers about the other protocol. */
const upgradeHeaders: ReadonlySet<string> = new Set(['upgrade', 'http2-settings']);

/** The head of the request without the headers that ask for another protocol. */
function headWithoutUpgrade({ method = 'GET', url = '/', httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = rawHeaders.slice(i, i + 2);
    const kept = name.toLowerCase() === 'connection' ? withoutUpgrade(value) : value;
    if (!upgradeHeaders.has(name.toLowerCase()) && (kept !== '' || value === '')) lines.push(`${name}: ${kept}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

function withoutUpgrade(connection: string): string {
  return connection
    .split(',')
    .map((token) => token.trim())
    .filter((token) => token !== '' && !upgradeHeaders.has(token.toLowerCase()))
    .join(', ');
}
