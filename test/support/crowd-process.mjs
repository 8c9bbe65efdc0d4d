/**
 * Clients in a process of their own, so that they can be stopped, killed or cut off as real ones are.
 * Started by crowd.ts, which says what to do in messages and is told everything that happens.
 */
import WebSocket from 'ws';

/** @type {Map<number, WebSocket>} */
const sockets = new Map();

/** @param {import('./crowd.js').CrowdReport} report */
const tell = (report) => process.send?.(report);

/** @param {import('./crowd.js').CrowdOrder} order */
function obey(order) {
  if (order.do === 'connect') connect(order);
  else if (order.do === 'send') sockets.get(order.id)?.send(order.text);
  else if (order.do === 'close') sockets.get(order.id)?.close(order.code);
  else sockets.get(order.id)?.terminate();
}

/** @param {Extract<import('./crowd.js').CrowdOrder, { do: 'connect' }>} order */
function connect({ id, url, keepaliveEveryMs, chatterEveryMs, pongsToSkip = 0, localAddress, protocols = [] }) {
  const socket = new WebSocket(url, protocols, { autoPong: false, ...(localAddress && { localAddress }) });
  sockets.set(id, socket);
  /** @type {NodeJS.Timeout[]} */
  const timers = [];
  let pings = 0;
  socket.on('open', () => {
    tell({ id, what: 'open' });
    if (keepaliveEveryMs) timers.push(setInterval(() => socket.send('{"type":"ping"}'), keepaliveEveryMs));
    if (chatterEveryMs) timers.push(setInterval(() => socket.send('hello'), chatterEveryMs));
  });
  socket.on('ping', (payload) => {
    pings += 1;
    tell({ id, what: 'ping' });
    if (pings > pongsToSkip) socket.pong(payload);
  });
  socket.on('message', (content, isBinary) => {
    const received = /** @type {Buffer} */ (content);
    tell({ id, what: 'message', bytes: received.length, text: isBinary ? '' : received.toString().slice(0, 200) });
  });
  socket.on('error', (error) => tell({ id, what: 'error', message: error.message }));
  socket.on('close', (code, reason) => {
    for (const timer of timers) clearInterval(timer);
    sockets.delete(id);
    tell({ id, what: 'close', code, reason: String(reason) });
  });
}

process.on('message', (orders) => {
  for (const order of /** @type {import('./crowd.js').CrowdOrder[]} */ (orders)) obey(order);
});
process.on('disconnect', () => process.exit(0));
tell({ id: 0, what: 'ready' });
