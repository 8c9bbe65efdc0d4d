import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** A request whose socket may be missing, as it is when a framework injects an upgrade for a test. */
export type Asked = Partial<Pick<IncomingMessage, 'socket'>>;

/**
 * Whether a request announces a body. An upgrade with one is refused: the bytes of the body would be read as frames of
 * the WebSocket, or the other way round, by whichever proxy reads the request differently.
 */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || !/^0*$/.test(headers['content-length'] ?? '');
}

/** What Node keeps on a socket: the response that is being written to it. Not public, so it may be missing. */
interface Answering {
  readonly _httpMessage?: ServerResponse | null;
}

/**
 * Whether an earlier request on the same connection is not answered to the end. An upgrade behind it is refused: the
 * rest of that answer would be written into the WebSocket. A response to the upgrade itself, which frameworks make to
 * send it through their routes, is none.
 */
export function isAnswering(stream: Duplex, { rawHeaders }: IncomingMessage): boolean {
  const response = responseOn(stream);
  // A framework may have wrapped the request; what lies in it is the same.
  return response !== null && response.req.rawHeaders !== rawHeaders;
}

/** Calls `act` once all earlier requests on the connection are answered, or it is closed; at once if they are. */
export function afterAnswers(stream: Duplex, act: () => void): void {
  const response = responseOn(stream);
  if (response === null) {
    act();
    return;
  }
  // Node reads the connection no longer, and listens to its errors no longer.
  stream.once('error', ignore);
  response.once('close', () => {
    stream.off('error', ignore);
    // Node puts the next response on the connection before it says that this one is over.
    afterAnswers(stream, act);
  });
}

function responseOn(stream: Duplex): ServerResponse | null {
  if (stream.destroyed) return null;
  return (stream as Duplex & Answering)._httpMessage ?? null;
}

function ignore(): void {
  // Its close says the same.
}
