import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import WebSocket from 'ws';

/** As in browsers, nothing ends because a socket that was closed while it connected says so. */
class QuietWebSocket extends WebSocket {
  /** @param {string | URL} url */
  constructor(url) {
    super(url);
    this.on('error', () => {});
  }
}

/** @param {import('../types.js').ClientTask} task */
export function connect({ port, user, thread, isIn, ended }) {
  const url = `ws://127.0.0.1:${port}/?user=${user}&thread=${thread}`;
  const websocketProvider = new HocuspocusProviderWebsocket({ url, WebSocketPolyfill: QuietWebSocket });
  const leave = () => {
    provider.destroy();
    websocketProvider.destroy();
  };
  const onClose = ({ event: { code, reason } }) => {
    ended({ code, reason });
    setImmediate(leave); // it would come back whatever the code
  };
  const provider = new HocuspocusProvider({ websocketProvider, name: 'document', onSynced: isIn, onClose });
  provider.attach();
  return leave;
}
