import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

const handshakeKey = /^[+/0-9A-Za-z]{22}==$/;

/** Whether `ws` would take it for a handshake; authentication is not asked about anything else. */
export function isHandshake({ method, headers }: IncomingMessage): boolean {
  const { upgrade, 'sec-websocket-key': key, 'sec-websocket-version': version } = headers;
  return (
    method === 'GET' &&
    (upgrade === 'websocket' || upgrade?.toLowerCase() === 'websocket') &&
    handshakeKey.test(key ?? '') &&
    (version === '13' || isVersion(Number(version)))
  );
}

function isVersion(version: number): boolean {
  return version === 13 || version === 8;
}

/** Whether a client that asked for an upgrade has got another answer, or is gone. */
export function isTurnedDown(stream: Duplex): boolean {
  return stream.destroyed || stream.writableEnded;
}

/** Whether it is a socket of the kind that `ws` makes, whichever copy of it. */
export function isSocket(value: unknown): value is WebSocket {
  return typeof value === 'object' && value !== null && 'terminate' in value && 'readyState' in value;
}
