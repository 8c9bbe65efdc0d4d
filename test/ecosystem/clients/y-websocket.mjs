import WebSocket from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';

/** @param {import('../types.js').ClientTask} task */
export function connect({ port, user, thread, isIn, ended }) {
  const provider = new WebsocketProvider(`ws://127.0.0.1:${port}`, 'document', new Y.Doc(), {
    WebSocketPolyfill: WebSocket,
    params: { user, thread },
    disableBc: true,
  });
  provider.on('sync', (isSynced) => isSynced && isIn());
  provider.once('connection-close', (event) => {
    ended({ code: event?.code, reason: event?.reason });
    setImmediate(() => provider.destroy());
  });
  return () => provider.destroy();
}
