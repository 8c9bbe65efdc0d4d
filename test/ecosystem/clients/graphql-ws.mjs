import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

/** @param {import('../types.js').ClientTask} task */
export function connect({ port, path, user, thread, isIn, ended }) {
  const client = createClient({
    url: `ws://127.0.0.1:${port}${path}?user=${user}&thread=${thread}`,
    connectionParams: { user, thread },
    webSocketImpl: WebSocket,
    lazy: false,
    retryAttempts: 0,
    onNonLazyError: () => {},
    on: {
      error: (error) => ended({ text: String(error) }),
      closed: (event) => {
        const { code, reason } = /** @type {CloseEvent} */ (event);
        ended({ code, reason });
      },
    },
  });
  client.subscribe({ query: '{ hello }' }, { next: isIn, error: () => {}, complete: () => {} });
  return () => client.dispose();
}
