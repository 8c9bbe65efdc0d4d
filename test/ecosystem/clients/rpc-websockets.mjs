import { Client } from 'rpc-websockets';

/** @param {import('../types.js').ClientTask} task */
export function connect({ port, user, thread, isIn, ended }) {
  const client = new Client(`ws://127.0.0.1:${port}/?user=${user}&thread=${thread}`, { reconnect: false });
  client.on('open', () => client.call('hello').then(isIn, () => {}));
  client.on('error', () => {});
  client.on('close', (code, reason) => ended({ code, reason: String(reason) }));
  return () => client.close();
}
