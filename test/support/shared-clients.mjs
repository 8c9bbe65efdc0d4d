/**
 * Clients of a fleet of servers that come back at once, to another server, when theirs drains. Started by rolling-deploy.ts.
 */
import WebSocket from 'ws';

/**
 * @typedef {object} Fleet
 * @property {number[]} ports of the servers
 * @property {number} first the number of the first client
 * @property {number} count
 * @property {number} users
 * @property {number} atOnce how many connect at the same time in the beginning
 */

/** How long a client waits until it comes back, in milliseconds, at most. */
const comesBackWithinMs = 50;

/** @type {Fleet} */
const { ports, first, count, users, atOnce } = JSON.parse(process.argv[2] ?? '{}');

/** Servers that may be asked. */
const up = new Set(ports);
const counts = { moves: 0, unreachable: 0 };

/** How others than those who drained ended. @type {string[]} */
const ended = [];

/** @type {Set<number>} */
const inside = new Set();

/** @param {number} from */
function anotherThan(from) {
  const others = [...up].filter((port) => port !== from);
  return others[Math.floor(Math.random() * others.length)] ?? from;
}

/**
 * @param {number} id
 * @param {number} port
 * @param {() => void} [whenIn]
 */
function connect(id, port, whenIn) {
  const url = `ws://127.0.0.1:${port}/?userId=user-${id % users}&threadId=thread_${id}`;
  const socket = new WebSocket(url, { localAddress: `127.0.0.${2 + (id % 50)}`, perMessageDeflate: false });
  let isOpen = false;
  socket.on('open', () => (isOpen = true));
  socket.on('error', () => undefined);
  socket.on('message', () => {
    inside.add(id);
    whenIn?.();
  });
  socket.on('close', (code, reason) => {
    inside.delete(id);
    const isDrained = code === 1012 || !isOpen;
    if (code === 1012) counts.moves += 1;
    else if (!isOpen) counts.unreachable += 1;
    else ended.push(`${code} ${String(reason)}`);
    if (isDrained) setTimeout(connect, Math.random() * comesBackWithinMs, id, anotherThan(port), whenIn);
  });
}

async function gather() {
  for (let from = 0; from < count; from += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, count - from) }, (_, index) => first + from + index);
    await Promise.all(
      some.map((id) => new Promise((resolve) => connect(id, ports[id % ports.length] ?? 0, () => resolve(undefined)))),
    );
  }
}

process.on('message', (order) => {
  const { down, again } = /** @type {{ down?: number, again?: number }} */ (order);
  if (down !== undefined) up.delete(down);
  if (again !== undefined) up.add(again);
  process.send?.({ what: 'counts', inside: inside.size, ...counts, ended });
});
process.on('disconnect', () => process.exit(0));
await gather();
process.send?.({ what: 'gathered' });
