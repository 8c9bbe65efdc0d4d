import { createTRPCClient, createWSClient, wsLink } from '@trpc/client';
import WebSocket from 'ws';

/** @param {import('../types.js').ClientTask} task */
export function connect({ port, user, thread, isIn, ended }) {
  const socket = createWSClient({
    url: `ws://127.0.0.1:${port}/?user=${user}&thread=${thread}`,
    WebSocket,
    retryDelayMs: () => 3_600_000, // it would come back whatever the code
    onClose: (cause) => ended({ code: cause?.code, reason: '' }),
  });
  const client = createTRPCClient({ links: [wsLink({ client: socket })] });
  client.hello.query().then(isIn, () => {});
  return () => socket.close();
}
