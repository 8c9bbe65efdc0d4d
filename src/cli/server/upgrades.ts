import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Connections } from './connection-cap.js';

/** Takes a WebSocket handshake. */
type Handshake = (request: IncomingMessage, stream: Duplex, head: Buffer) => void;

/**
 * Gives WebSocket handshakes to `handshake`. A request for any other protocol is answered as if it had not asked for one,
 * which HTTP allows always: Java's HttpClient offers `h2c` with each of its requests.
 */
export function routeUpgrades(server: Server, connections: Connections, handshake: Handshake): void {
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const { socket } = request;
    connections.upgraded(socket);
    if (isForWebSocket(request)) {
      handshake(request, stream, head);
      return;
    }
    connections.afterAnswers(socket, () => {
      giveBack(server, socket, Buffer.concat([headWithoutUpgrade(request), head]));
    });
  });
}

function isForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.trim().toLowerCase() === 'websocket';
}

/** HTTP begins anew on the connection, with what it has read of it. */
function giveBack(server: Server, socket: Socket, read: Buffer): void {
  if (socket.destroyed) return;
  socket.unshift(read);
  server.emit('connection', socket);
}

/** Headers that speak of the protocol that is not switched to. */
const upgradeHeaders: ReadonlySet<string> = new Set(['upgrade', 'http2-settings']);

/** The head of the request as it would be without asking for another protocol. */
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
