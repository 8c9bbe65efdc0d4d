import { randomUUID } from 'node:crypto';
import WebSocket from 'ws';

/** @param {import('../types.js').ClientTask} task */
export function connect({ port, path, user, thread, isIn, ended }) {
  const query = new URLSearchParams({ user, thread, id: randomUUID() }).toString();
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}${path.includes('?') ? '&' : '?'}${query}`);
  socket.on('open', () => socket.send('{"event":"echo","data":"hello"}')); // what Nest understands; others do not mind
  socket.on('message', () => isIn());
  socket.on('error', (error) => ended({ text: error.message }));
  socket.on('close', (code, reason) => ended({ code, reason: String(reason) }));
  return () => socket.close();
}
