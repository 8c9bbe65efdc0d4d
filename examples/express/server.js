// @ts-check
// An Express application with sessions, an operator's dashboard behind its own login, and one page of metrics.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getRequestListener } from '@hono/node-server';
import cookieSession from 'cookie-session';
import express from 'express';
import { AuthenticationError, createMooring } from 'mooring';
import { createAdmin } from 'mooring/admin';
import { collectMetrics } from 'mooring/prometheus';
import { attach } from 'mooring/ws';
import { Counter, register } from 'prom-client';
import { WebSocketServer } from 'ws';

/** @typedef {{ name: string, password: string, role: 'user' | 'operator' }} User */

/** Your application has a database, and passwords that cannot be read. @type {readonly User[]} */
const users = [
  { name: 'ada', password: 'ada', role: 'user' },
  { name: 'olga', password: 'olga', role: 'operator' },
];

/** The secret keeps sessions valid after a restart, and the token lets Prometheus in. */
const { PORT = '3000', SESSION_SECRET = randomUUID(), METRICS_TOKEN } = process.env;

const mooring = createMooring({ maxManagersPerUser: 5, journalBytes: 4_000_000 });

const http = createServer();
http.listen(Number(PORT), '127.0.0.1');
await once(http, 'listening');
const { port } = /** @type {import('node:net').AddressInfo} */ (http.address());
/** Behind a proxy, this is the address that browsers see: `https://app.example`. */
const origins = [`http://127.0.0.1:${port}`, `http://localhost:${port}`];

// ---------------------------------------------------------------- sessions and pages

const sessions = cookieSession({
  name: 'express_session',
  keys: [SESSION_SECRET],
  maxAge: 12 * 60 * 60 * 1000,
  httpOnly: true,
  sameSite: 'lax',
});

/** @param {object | undefined} request to Express, or one that `readSession` has seen */
function sessionOf(request) {
  const { session } = /** @type {{ session?: { id?: string, user?: string } | null }} */ (request ?? {});
  return session ?? {};
}

/** Who is logged in. @param {object | undefined} request */
function userOf(request) {
  const { user } = sessionOf(request);
  return users.find(({ name }) => name === user);
}

const app = express();
http.on('request', app);
app.disable('x-powered-by');
app.use(sessions, (request, response, next) => {
  response.set('X-Content-Type-Options', 'nosniff');
  // A page of another site could post with the cookie of this one.
  if (request.method !== 'POST' || origins.includes(request.get('origin') ?? '')) next();
  else response.status(403).send('Only pages of this site may do that.');
});

app.get('/', (request, response) => {
  if (userOf(request) === undefined) response.redirect('/login');
  else response.sendFile('index.html', { root: join(import.meta.dirname, 'public') });
});
app.use(express.static(join(import.meta.dirname, 'public'), { index: false, extensions: ['html'] }));
// With a bundler these lines are not needed: the page imports mooring/client itself.
const clientFile = fileURLToPath(import.meta.resolve('mooring/client'));
app.get('/mooring/client.js', (_, response) => response.sendFile(clientFile));

app.post('/login', express.urlencoded({ limit: '1kb' }), (request, response) => {
  const { name, password } = /** @type {Record<string, unknown>} */ (request.body ?? {});
  const user = users.find((each) => each.name === name && each.password === password);
  if (user !== undefined) request.session = { id: randomUUID(), user: user.name };
  response.redirect(303, user === undefined ? '/login#failed' : user.role === 'operator' ? '/ops/' : '/');
});
// Logging out ends connections too. The cause tells their pages to ask for a login, and not to connect again.
app.post('/logout', (request, response) => {
  const { id, user = '' } = sessionOf(request);
  for (const { key, data } of mooring.managersOf(user))
    if (data === id) mooring.release(key, { closeCause: 'unauthenticated' });
  request.session = null;
  response.redirect(303, '/login');
});

// ---------------------------------------------------------------- connections

const server = new WebSocketServer({ server: http, path: '/counter', maxPayload: 1_024 });

attach(server, {
  mooring,
  allowedOrigins: origins,
  authenticate: async (request) => {
    await readSession(request);
    const user = userOf(request);
    if (user === undefined) throw new AuthenticationError('missing');
    const tab = new URL(request.url ?? '', origins[0]).searchParams.get('tab') ?? '';
    return { userId: user.name, threadId: `thread_${tab}`, idleTimeoutMs: null, data: sessionOf(request).id };
  },
});

/** A handshake does not pass through Express. @param {import('node:http').IncomingMessage} request */
function readSession(request) {
  return new Promise((resolve, reject) => {
    const asExpress = /** @type {import('express').Request} */ (request);
    const response = /** @type {import('express').Response} */ (new ServerResponse(request));
    sessions(asExpress, response, (error) => {
      if (error === undefined) resolve(undefined);
      else reject(new Error('The session cannot be read.', { cause: error }));
    });
  });
}

let total = 0;
const clicks = new Counter({ name: 'app_clicks_total', help: 'Clicks of all users.' });

server.on('connection', (socket) => {
  socket.send(String(total));
  socket.on('message', () => {
    total += 1;
    clicks.inc();
    for (const client of server.clients) client.send(String(total));
  });
  // Without a listener, a message that is too big would end the process.
  socket.on('error', (error) => {
    console.warn(error.message);
  });
});

// ---------------------------------------------------------------- operators and metrics

const metrics = collectMetrics(mooring, { registry: register });
const admin = createAdmin({
  mooring,
  metrics,
  loginUrl: '/login',
  access: (_request, { incoming }) => {
    const user = userOf(incoming);
    if (user === undefined) return null;
    return { name: user.name, scope: user.role === 'operator' ? 'act' : 'none' };
  },
  tokens: METRICS_TOKEN === undefined ? [] : [{ token: METRICS_TOKEN, scope: 'read', name: 'prometheus' }],
});
const operate = getRequestListener(admin.fetch);

// The admin API refuses everybody else by itself. This tells a person what to do.
app.get('/ops', (request, response, next) => {
  const user = userOf(request);
  if (user === undefined) response.redirect('/login');
  else if (user.role !== 'operator') response.status(403).send('Only operators may see this page.');
  else next();
});
app.use('/ops', operate);
app.get('/metrics', operate); // of the application, of Mooring, and of anything else in the registry

// ---------------------------------------------------------------- the end

for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => void stop());

async function stop() {
  await mooring.stop(); // tells every page when to come back
  admin.close();
  http.close();
  http.closeAllConnections();
}

console.log(`Counter on http://127.0.0.1:${port}/`);
