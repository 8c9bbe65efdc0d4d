import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { pause } from '../support/case.js';
import { seeded } from '../support/numbers.js';
import { serveCalls } from '../support/worker.js';

/** Churn for some time. */
export interface ChurnOrder {
  readonly port: number;
  readonly seed: number;
  readonly forMs: number;
  /** How many clients live at the same time. Each starts another life when one is over. */
  readonly atOnce: number;
}

export interface ChurnReport {
  readonly lives: number;
  /** Connections that sent messages and answered all the time, and that the server closed. */
  readonly healthyClosed: number;
}

export interface SoakClientCalls {
  /** Lives one life after another, many at the same time; then closes all that is still open. */
  churn(order: ChurnOrder): Promise<ChurnReport>;
}

/** One life of one client. */
type Life = (ask: Ask) => Promise<void>;

interface Ask {
  readonly port: number;
  readonly random: () => number;
  /** Ends when the round does. */
  readonly until: number;
}

const users = 60;
const threads = 8;
/** Several local addresses, since each has a limited number of ports. */
const addresses = process.platform === 'linux' ? 16 : 1;
const open = new Set<WebSocket>();

/** The kinds of lives, and how many of a hundred are of each. */
const lives: readonly (readonly [number, Life])[] = [
  [35, saysGoodbye],
  [15, breaksOff],
  [12, staysSilent],
  [10, comesBack],
  [8, talks],
  [6, readsNothing],
  [5, leavesHalfway],
  [5, isRude],
  [4, isNobody],
];

serveCalls<SoakClientCalls>({
  async churn({ port, seed, forMs, atOnce }) {
    const random = seeded(seed);
    const ask = { port, random, until: performance.now() + forMs };
    const healthy = Array.from({ length: 10 }, (_, index) => staysHealthy(ask, index));
    let lived = 0;
    const liveOn = async (): Promise<void> => {
      while (performance.now() < ask.until) {
        await anyLife(random)(ask);
        lived += 1;
        await pause(random() * 100);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, liveOn));
    const closed = await Promise.all(healthy);
    for (const socket of open) socket.terminate();
    return { lives: lived, healthyClosed: closed.filter((isClosed) => isClosed).length };
  },
});

function anyLife(random: () => number): Life {
  let left = random() * 100;
  for (const [share, life] of lives) {
    left -= share;
    if (left < 0) return life;
  }
  return saysGoodbye;
}

async function saysGoodbye(ask: Ask): Promise<void> {
  const socket = dial(ask);
  if (!(await isOpen(socket))) return;
  await chat(socket, ask, ask.random() * 1_000);
  socket.close();
  await isGone(socket);
}

async function breaksOff(ask: Ask): Promise<void> {
  const socket = dial(ask);
  await pause(ask.random() * 300);
  socket.terminate();
}

/** A phone that went to sleep: its socket is open, and nothing answers. */
async function staysSilent(ask: Ask): Promise<void> {
  const socket = dial(ask);
  if (!(await isOpen(socket))) return;
  socket.pause();
  await pause(ask.random() * 8_000);
  socket.terminate();
}

async function comesBack(ask: Ask): Promise<void> {
  const name = someone(ask);
  for (let times = 0; times < 3; times++) {
    const socket = dial(ask, name);
    if (await isOpen(socket)) await chat(socket, ask, 100);
  }
}

async function talks(ask: Ask): Promise<void> {
  const socket = dial(ask);
  if (!(await isOpen(socket))) return;
  await chat(socket, ask, ask.random() * 10_000);
  socket.close(1000, 'that was all');
  await isGone(socket);
}

/** Its echoes pile up at the server. */
async function readsNothing(ask: Ask): Promise<void> {
  const socket = dial(ask);
  if (!(await isOpen(socket))) return;
  socket.pause();
  const large = Buffer.alloc(2 ** 18, 'x');
  for (let sent = 0; sent < 8; sent++) if (socket.readyState === WebSocket.OPEN) socket.send(large);
  await pause(ask.random() * 3_000);
  socket.terminate();
}

/** Closes its socket during the handshake, or after its request and before the answer. */
async function leavesHalfway(ask: Ask): Promise<void> {
  const stream = connect({ host: '127.0.0.1', port: ask.port });
  stream.on('error', () => undefined);
  const name = someone(ask, 'slow');
  const request = `GET ${name} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
  stream.write(request.slice(0, Math.ceil(ask.random() * 1.5 * request.length)));
  await pause(ask.random() * 60);
  stream.destroy();
}

/** Breaks the WebSocket protocol. */
async function isRude(ask: Ask): Promise<void> {
  const stream = connect({ host: '127.0.0.1', port: ask.port });
  stream.on('error', () => undefined);
  const gone = new Promise((resolve) => stream.once('close', resolve));
  stream.write(
    `GET ${someone(ask)} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );
  stream.write(Buffer.from([0xff, 0xff, 0, 1, 2, 3, 4, 5, 6, 7]));
  stream.resume();
  await Promise.race([gone, pause(1_000)]);
  stream.destroy();
}

/** Is refused: an unknown user, an invalid id, or an application whose database is down. */
async function isNobody(ask: Ask): Promise<void> {
  const names = [someone(ask, 'stranger'), someone(ask, 'unlucky'), '/?user_id=&thread_id=', '/'];
  const socket = dial(ask, names[Math.floor(ask.random() * names.length)]);
  await isOpen(socket);
  await isGone(socket);
}

/** A client of its own user that sends messages until the round is over. @returns whether it was closed before */
async function staysHealthy(ask: Ask, index: number): Promise<boolean> {
  const socket = dial(ask, `/?user_id=healthy-${process.pid}-${index}&thread_id=thread_only`);
  await isOpen(socket);
  await chat(socket, ask, Infinity);
  const isClosed = socket.readyState !== WebSocket.OPEN;
  socket.close();
  await isGone(socket);
  return isClosed;
}

function dial(ask: Ask, name = someone(ask)): WebSocket {
  const localAddress = `127.0.0.${1 + Math.floor(ask.random() * addresses)}`;
  const socket = new WebSocket(`ws://127.0.0.1:${ask.port}${name}`, { localAddress });
  open.add(socket);
  socket.on('error', () => undefined);
  socket.on('close', () => open.delete(socket));
  return socket;
}

function someone({ random }: Ask, kind = random() < 0.2 ? 'slow' : 'user'): string {
  return `/?user_id=${kind}-${Math.floor(random() * users)}&thread_id=thread_${Math.floor(random() * threads)}`;
}

/** Sends messages for some time, or until the round is over. */
async function chat(socket: WebSocket, { random, until }: Ask, forMs: number): Promise<void> {
  const end = Math.min(until, performance.now() + forMs);
  while (performance.now() < end && socket.readyState === WebSocket.OPEN) {
    socket.send(`hello ${'.'.repeat(Math.floor(random() * 200))}`);
    await pause(Math.min(end - performance.now(), 200 + random() * 800));
  }
}

/** Resolves once it is known. */
function isOpen(socket: WebSocket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once('open', () => {
      resolve(true);
    });
    socket.once('close', () => {
      resolve(false);
    });
  });
}

async function isGone(socket: WebSocket): Promise<void> {
  if (socket.readyState === WebSocket.CLOSED) return;
  await new Promise((resolve) => socket.once('close', resolve));
}
