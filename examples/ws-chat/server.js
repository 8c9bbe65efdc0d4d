// @ts-check
// A chat with accounts. Each plan allows so many open chats; one chat is one conversation in one tab.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { AuthenticationError, createMooring } from 'mooring';
import { attach, managerOf } from 'mooring/ws';
import { WebSocket, WebSocketServer } from 'ws';

/** @typedef {{ password: string, plan: keyof typeof limits }} Account */
/** @typedef {{ id: string, user: string, plan: keyof typeof limits, endsAtMs: number }} Session */
/** @typedef {{ session: Session, conversation: string, device: string }} Visit what we want to know of a connection */
/** @typedef {{ user: string, text: string }} Message */

/** How many chats a user may have open. */
const limits = { free: 2, pro: 20 };

/** Your application has a database, and passwords that cannot be read. @type {ReadonlyMap<string, Account>} */
const accounts = new Map([
  ['ada', { password: 'ada', plan: 'free' }],
  ['bob', { password: 'bob', plan: 'free' }],
  ['grace', { password: 'grace', plan: 'pro' }],
]);

/** The last 50 messages of each. @type {ReadonlyMap<string, Message[]>} */
const conversations = new Map([
  ['lobby', []],
  ['help', []],
]);

/** By id. @type {Map<string, Session>} */
const sessions = new Map();
const sessionMs = 12 * 60 * 60 * 1000;

const mooring = createMooring();

const http = createServer();
http.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1');
await once(http, 'listening');
const { port } = /** @type {import('node:net').AddressInfo} */ (http.address());
/** Behind a proxy, this is the address that browsers see: `https://chat.example`. */
const origins = [`http://127.0.0.1:${port}`, `http://localhost:${port}`];

// ---------------------------------------------------------------- pages

const app = express();
http.on('request', app);
app.disable('x-powered-by');
app.use((request, response, next) => {
  response.set(
    'Content-Security-Policy',
    "default-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'",
  );
  response.set('X-Content-Type-Options', 'nosniff');
  // A page of another site could post with the cookie of this one.
  if (request.method !== 'POST' || origins.includes(request.get('origin') ?? '')) next();
  else response.status(403).send('Only pages of this site may do that.');
});

app.get('/', (request, response) => {
  if (sessionOf(request) === undefined) response.redirect('/login');
  else response.sendFile('index.html', { root: join(import.meta.dirname, 'public') });
});
app.use(express.static(join(import.meta.dirname, 'public'), { index: false, extensions: ['html'] }));
// With a bundler these lines are not needed: the page imports mooring/client itself.
const clientFile = fileURLToPath(import.meta.resolve('mooring/client'));
app.get('/mooring/client.js', (_, response) => response.sendFile(clientFile));

app.post('/login', express.urlencoded({ limit: '1kb' }), (request, response) => {
  const { name, password } = /** @type {Record<string, unknown>} */ (request.body ?? {});
  const account = accounts.get(String(name));
  if (account === undefined || account.password !== password) {
    response.redirect(303, '/login#failed');
    return;
  }
  for (const { id, endsAtMs } of sessions.values()) if (endsAtMs < Date.now()) sessions.delete(id);
  const session = { id: randomUUID(), user: String(name), plan: account.plan, endsAtMs: Date.now() + sessionMs };
  sessions.set(session.id, session);
  response.cookie('chat_session', session.id, {
    httpOnly: true,
    sameSite: 'lax',
    secure: request.secure,
    maxAge: sessionMs,
  });
  response.redirect(303, '/');
});

// Logging out ends connections too. The cause tells their pages to ask for a login, and not to connect again.
app.post('/logout', (request, response) => {
  const session = sessionOf(request);
  if (session !== undefined) {
    sessions.delete(session.id);
    for (const manager of mooring.managersOf(session.user))
      if (visitOf(manager).session === session) mooring.release(manager.key, { closeCause: 'unauthenticated' });
  }
  response.redirect(303, '/login');
});
app.post('/logout-everywhere', (request, response) => {
  const user = sessionOf(request)?.user;
  if (user !== undefined) {
    for (const session of sessions.values()) if (session.user === user) sessions.delete(session.id);
    mooring.releaseAll(user, { closeCause: 'unauthenticated' });
  }
  response.redirect(303, '/login');
});

app.get('/chats', (request, response) => {
  const session = sessionOf(request);
  if (session === undefined) {
    response.status(401).json({});
    return;
  }
  const { user, plan } = session;
  const chats = mooring.managersOf(user).map((manager) => {
    const { conversation, device } = visitOf(manager);
    return { thread: manager.threadId, conversation, device, openMs: mooring.now() - manager.admittedAtMs };
  });
  response.json({ user, plan, limit: limits[plan], chats });
});
app.post('/chats/close', express.json({ limit: '1kb' }), (request, response) => {
  const userId = sessionOf(request)?.user;
  const { thread } = /** @type {Record<string, unknown>} */ (request.body ?? {});
  if (userId === undefined) response.status(401).json({});
  else response.json({ closed: mooring.release({ userId, threadId: String(thread) }) });
});

/** @param {import('node:http').IncomingMessage} request */
function sessionOf({ headers }) {
  const session = sessions.get(/(?:^|; )chat_session=([^;]*)/.exec(headers.cookie ?? '')?.[1] ?? '');
  return session !== undefined && session.endsAtMs > Date.now() ? session : undefined;
}

// ---------------------------------------------------------------- connections

const server = new WebSocketServer({ server: http, path: '/chat', maxPayload: 4_096 });

attach(server, {
  mooring,
  allowedOrigins: origins,
  authenticate: (request) => {
    const session = sessionOf(request);
    if (session === undefined) throw new AuthenticationError('missing');
    const { searchParams } = new URL(request.url ?? '', origins[0]);
    const conversation = searchParams.get('conversation') ?? '';
    return {
      userId: session.user,
      // A reload keeps its thread, and each other tab has its own.
      threadId: `thread_${conversation}_${searchParams.get('tab') ?? ''}`,
      limit: limits[session.plan],
      idleTimeoutMs: null, // a person who only reads is not idle
      data: { session, conversation, device: deviceOf(request.headers['user-agent']) },
    };
  },
});

server.on('connection', (socket) => {
  const visit = visitOf(managerOf(socket));
  const messages = conversations.get(visit.conversation);
  // It may have waited for a place meanwhile.
  if (!sessions.has(visit.session.id)) socket.close(4401, 'unauthenticated');
  else if (messages === undefined) socket.close(1008, 'There is no such conversation.');
  else {
    socket.send(JSON.stringify({ messages }));
    socket.on('message', (content) => {
      // `maxPayload` is the limit of a message, so it is short.
      say(visit, messages, String(content).trim());
    });
  }
  // Without a listener, a message that is too big would end the process.
  socket.on('error', (error) => {
    console.warn(`${visit.session.user}: ${error.message}`);
  });
});

/** @param {Visit} visit @param {Message[]} messages @param {string} text */
function say({ session, conversation }, messages, text) {
  if (text === '') return;
  const message = { user: session.user, text };
  messages.push(message);
  if (messages.length > 50) messages.shift();
  for (const client of server.clients)
    if (client.readyState === WebSocket.OPEN && visitOf(managerOf(client)).conversation === conversation)
      client.send(JSON.stringify({ message }));
}

/** What `authenticate` gave as `data`. @param {import('mooring').WebSocketManager} manager */
function visitOf({ data }) {
  return /** @type {Visit} */ (data);
}

/** @param {string | undefined} userAgent */
function deviceOf(userAgent = '') {
  const browser = /Edg|Firefox|Chrome|Safari/.exec(userAgent)?.[0] ?? 'a program';
  const system = /Android|iPhone|iPad|Windows|Mac|Linux/.exec(userAgent)?.[0];
  return system === undefined ? browser : `${browser.replace('Edg', 'Edge')} on ${system}`;
}

// ---------------------------------------------------------------- the end

for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => void stop());

async function stop() {
  await mooring.stop(); // tells every page when to come back
  http.close();
  http.closeAllConnections();
}

console.log(`Chat on http://127.0.0.1:${port}/`);
