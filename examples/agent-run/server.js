// @ts-check
// An agent whose runs go on while their page is reloaded, and end if the page does not come back.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { AuthenticationError, createMooring } from 'mooring';
import { attach, managerOf } from 'mooring/ws';
import { WebSocketServer } from 'ws';
import { answer } from './agent.js';

/** @typedef {import('mooring').WebSocketManager<import('ws').WebSocket>} Manager */
/** @typedef {'running' | 'done' | 'stopped' | 'abandoned' | 'failed'} State */
/** @typedef {{ question: string, tokens: string[], state: State, controller: AbortController }} Run */

/** The latest run of each conversation, by isolation key; the oldest first. @type {Map<string, Run>} */
const runs = new Map();
const maxRuns = 1_000;

const mooring = createMooring({ maxManagersPerUser: 5 });

const http = createServer();
http.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1');
await once(http, 'listening');
const { port } = /** @type {import('node:net').AddressInfo} */ (http.address());
/** Behind a proxy, this is the address that browsers see: `https://agent.example`. */
const origins = [`http://127.0.0.1:${port}`, `http://localhost:${port}`];

// ---------------------------------------------------------------- pages

const app = express();
http.on('request', app);
app.disable('x-powered-by');
app.use((request, response, next) => {
  response.set('Content-Security-Policy', "default-src 'self'; img-src data:; frame-ancestors 'none'");
  response.set('X-Content-Type-Options', 'nosniff');
  // Each browser is a user of its own. Your application has accounts: see the example ws-chat.
  if (visitorOf(request) === undefined)
    response.cookie('agent_visitor', randomUUID(), { httpOnly: true, sameSite: 'lax', secure: request.secure });
  next();
});
app.use(express.static(join(import.meta.dirname, 'public')));
// With a bundler these lines are not needed: the page imports mooring/client itself.
const clientFile = fileURLToPath(import.meta.resolve('mooring/client'));
app.get('/mooring/client.js', (_, response) => response.sendFile(clientFile));

/** @param {import('node:http').IncomingMessage} request */
function visitorOf({ headers }) {
  return /(?:^|; )agent_visitor=([\da-f-]{36})(?:;|$)/.exec(headers.cookie ?? '')?.[1];
}

// ---------------------------------------------------------------- connections

const server = new WebSocketServer({ server: http, path: '/agent', maxPayload: 4_096 });

attach(server, {
  mooring,
  allowedOrigins: origins,
  authenticate: (request) => {
    const userId = visitorOf(request);
    if (userId === undefined) throw new AuthenticationError('missing');
    const conversation = new URL(request.url ?? '', origins[0]).searchParams.get('conversation') ?? '';
    // A thread is a conversation: the run goes on in the tab that opened it last.
    return { userId, threadId: `thread_${conversation}` };
  },
});

server.on('connection', (socket) => {
  const manager = managerOf(socket);
  // The page shows this instead of what it had: after a reload that is nothing, after a lost connection a part.
  const run = runs.get(manager.key);
  const { question, tokens, state } = run ?? { question: null, tokens: [], state: null };
  socket.send(JSON.stringify({ run: { question, tokens, state } }));
  socket.on('message', (content) => {
    const { ask, stop } = commandIn(String(content));
    const current = runs.get(manager.key);
    if (stop === true) current?.controller.abort('stopped');
    else if (typeof ask === 'string' && ask.trim() !== '' && current?.state !== 'running')
      void start(manager, ask.trim());
  });
  // Without a listener, a message that is too big would end the process.
  socket.on('error', (error) => {
    console.warn(error.message);
  });
});

/** @param {string} text @returns {{ ask?: unknown, stop?: unknown }} */
function commandIn(text) {
  try {
    return /** @type {object | null} */ (JSON.parse(text)) ?? {};
  } catch {
    return {};
  }
}

// ---------------------------------------------------------------- runs

/** @param {Manager} manager @param {string} question */
async function start(manager, question) {
  const controller = new AbortController();
  /** @type {Run} */
  const run = { question, tokens: [], state: 'running', controller };
  keep(manager.key, run);
  // While it is held, Mooring does not end the manager as idle, and waits if its page is reloaded.
  const hold = manager.hold();
  // The page did not come back within `resumeGraceMs`, or an operator ended the connection.
  const forget = manager.onRelease(({ reason }) => {
    console.log(`run aborted: its connection was released (${reason})`);
    controller.abort('abandoned');
  });
  send(manager, { run: { question, tokens: [], state: run.state } });
  try {
    for await (const token of answer(question, controller)) {
      run.tokens.push(token);
      send(manager, { index: run.tokens.length - 1, token });
    }
    run.state = 'done';
  } catch (error) {
    run.state = controller.signal.aborted ? /** @type {State} */ (controller.signal.reason) : 'failed';
    if (!controller.signal.aborted) console.error(error);
  } finally {
    forget();
    hold();
  }
  send(manager, { state: run.state });
}

/**
 * To the page that has the conversation now. If there is none at the moment, it gets the whole run when it comes back.
 *
 * @param {Manager} manager
 * @param {object} message
 */
function send(manager, message) {
  manager.socket()?.send(JSON.stringify(message));
}

/** @param {string} key @param {Run} run */
function keep(key, run) {
  runs.delete(key);
  runs.set(key, run);
  for (const [oldest, { state }] of runs) {
    if (runs.size <= maxRuns) return;
    if (state !== 'running') runs.delete(oldest);
  }
}

// ---------------------------------------------------------------- the end

for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => void stop());

async function stop() {
  await mooring.stop(); // held connections come last: runs may end, for drainHoldTimeoutMs
  http.close();
  http.closeAllConnections();
}

console.log(`Agent on http://127.0.0.1:${port}/`);
