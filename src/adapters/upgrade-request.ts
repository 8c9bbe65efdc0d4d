import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** What the doorway reads of a request of Node. The socket is missing if a framework injects an upgrade for a test. */
export interface IncomingRequest {
  readonly headers: IncomingHttpHeaders;
  readonly socket?: { readonly remoteAddress?: string | undefined; readonly destroyed: boolean };
}

const handshakeKey = /^[+/0-9A-Za-z]{22}==$/;

/** Whether `ws` would accept the request as a WebSocket handshake. Only such requests are authenticated. */
export function isHandshake({ method, headers }: IncomingMessage): boolean {
  const { upgrade, 'sec-websocket-key': key, 'sec-websocket-version': version } = headers;
  return (
    method === 'GET' &&
    (upgrade === 'websocket' || upgrade?.toLowerCase() === 'websocket') &&
    handshakeKey.test(key ?? '') &&
    (version === '13' || isVersion(Number(version)))
  );
}

/** Whether the request asks for a WebSocket, and its client is still there. */
export function mayUpgrade(request: IncomingMessage): boolean {
  const socket = request.socket as IncomingMessage['socket'] | undefined; // missing if a framework injects it
  return isHandshake(request) && socket?.destroyed !== true;
}

function isVersion(version: number): boolean {
  return version === 13 || version === 8;
}

/** Whether a client that asked for an upgrade got an HTTP answer instead, or has gone. */
export function isTurnedDown(stream: Duplex): boolean {
  return stream.destroyed || stream.writableEnded;
}

/**
 * Whether a request announces a body. An upgrade with a body is rejected: if a proxy reads the request differently than
 * Node does, bytes of the body are read as WebSocket frames, or frames as the body.
 */
export function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || !/^0*$/.test(headers['content-length'] ?? '');
}

/** Node keeps the response that is being written on the socket. It is not public, so it may be missing. */
interface SocketWithResponse {
  readonly _httpMessage?: ServerResponse | null;
}

/**
 * Whether the answer to an earlier request on the same connection is not complete. An upgrade behind it is rejected: the
 * rest of that answer would be written into the WebSocket. A response to the upgrade itself, which frameworks make to
 * send the request through their routes, does not count.
 */
export function isAnswering(stream: Duplex, { rawHeaders }: IncomingMessage): boolean {
  const response = responseOn(stream);
  // A framework may have wrapped the request; the array of headers is the same.
  return response !== null && response.req.rawHeaders !== rawHeaders;
}

/** Calls `act` once all earlier requests on the connection are answered, or it is closed; at once if they are. */
export function afterAnswers(stream: Duplex, act: () => void): void {
  const response = responseOn(stream);
  if (response === null) {
    act();
    return;
  }
  // Node no longer reads the connection, nor listens to its errors.
  stream.once('error', ignore);
  response.once('close', () => {
    stream.off('error', ignore);
    // Node puts the next response on the connection before it reports the close of this one.
    afterAnswers(stream, act);
  });
}

function responseOn(stream: Duplex): ServerResponse | null {
  if (stream.destroyed) return null;
  return (stream as Duplex & SocketWithResponse)._httpMessage ?? null;
}

function ignore(): void {
  // The stream will also emit 'close'.
}
