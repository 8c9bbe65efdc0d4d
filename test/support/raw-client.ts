import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterThisTest } from './setup.js';

/** A client that says exactly what it is told to, byte by byte. */
export interface RawClient {
  readonly socket: Socket;
  /** All it was sent. */
  readonly received: () => Buffer;
  /** Resolves once what was sent contains it; rejects where the connection closes before. */
  hears(text: string | Buffer): Promise<void>;
}

/** Connects by TCP. */
export async function rawClient(port: number): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1' });
  afterThisTest(() => {
    socket.destroy();
  });
  const chunks: Buffer[] = [];
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'connect');
  const received = (): Buffer => Buffer.concat(chunks);
  const hears = async (text: string | Buffer): Promise<void> => {
    while (!received().includes(text)) {
      if (socket.destroyed) throw new Error(`closed, after ${received().toString('latin1')}`);
      await Promise.race([once(socket, 'data'), once(socket, 'close')]);
    }
  };
  return { socket, received, hears };
}

/** An upgrade request, with whatever headers besides. */
export function handshake(path: string, headers: Readonly<Record<string, string>> = {}): string {
  const all = {
    Host: '127.0.0.1',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** A masked frame of at most 125 bytes, as clients send them. @param opcode @default 1, a text message */
export function frame(payload: string, opcode = 1): Buffer {
  const content = Buffer.from(payload);
  const mask = randomBytes(4);
  const masked = content.map((byte, i) => byte ^ (mask[i % 4] ?? 0));
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | content.length]), mask, masked]);
}
