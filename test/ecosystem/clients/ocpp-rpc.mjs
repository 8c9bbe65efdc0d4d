import { randomUUID } from 'node:crypto';
import { RPCClient } from 'ocpp-rpc';

/** @param {import('../types.js').ClientTask} task */
export async function connect({ port, user, thread, isIn, ended }) {
  const client = new RPCClient({
    endpoint: `ws://127.0.0.1:${port}`,
    identity: randomUUID(),
    query: { user, thread },
    protocols: ['ocpp1.6'],
    reconnect: false,
  });
  client.on('close', ({ code, reason }) => ended({ code, reason: String(reason) }));
  client.on('open', () => client.call('Hello', {}).then(isIn, () => {}));
  client.connect().catch(() => {});
  return () => client.close();
}
