import mqtt from 'mqtt';

/** @param {import('../types.js').ClientTask} task */
export function connect({ port, user, thread, isIn, ended }) {
  const url = `ws://127.0.0.1:${port}/?user=${user}&thread=${thread}`;
  const client = mqtt.connect(url, { reconnectPeriod: 0 });
  client.on('connect', () => isIn());
  client.on('error', () => {});
  client.on('close', () => ended({ text: 'close' }));
  return () => client.end();
}
