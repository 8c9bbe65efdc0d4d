// @ts-check
// A vote during a talk, on Socket.IO. A user is known by a token, which arrives when the client joins a namespace.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import express from 'express';
import { createMooring } from 'mooring';
import { attach, managerOf } from 'mooring/socket.io';
import { Server } from 'socket.io';

/** Your application has a database, and passwords that cannot be read. @type {ReadonlyMap<string, string>} */
const passwords = new Map([
  ['ada', 'ada'],
  ['bob', 'bob'],
]);

/** @typedef {{ token: string, user: string | undefined }} SocketData what `io.use` finds out */

/** User by token. @type {Map<string, string>} */
const sessions = new Map();

/** The votes of the users, by answer. @type {ReadonlyMap<string, Set<string>>} */
const votes = new Map(['Yes', 'No', 'It depends'].map((answer) => [answer, new Set()]));

const mooring = createMooring({ maxManagersPerUser: 2 });

const app = express();
const http = createServer(app);
http.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1');
await once(http, 'listening');
const { port } = /** @type {import('node:net').AddressInfo} */ (http.address());
/** Behind a proxy, this is the address that browsers see: `https://vote.example`. */
const origins = [`http://127.0.0.1:${port}`, `http://localhost:${port}`];

// ---------------------------------------------------------------- connections

/** @type {Server<{ vote: (answer: string) => void }, import('socket.io').DefaultEventsMap, {}, SocketData>} */
const io = new Server(http, { maxHttpBufferSize: 10_000 });

io.use(({ data, handshake }, next) => {
  data.token = String(handshake.auth['token']);
  data.user = sessions.get(data.token);
  next();
});

attach(io, {
  mooring,
  allowedOrigins: origins,
  authenticate: ({ data, handshake }) =>
    data.user === undefined
      ? null // the page is told to ask for a login
      : {
          userId: data.user,
          threadId: `thread_${String(handshake.auth['tab'])}`, // a reload keeps it
          idleTimeoutMs: null, // a person who only looks is not idle
          data: data.token,
        },
});

io.on('connection', (socket) => {
  const { userId } = managerOf(socket);
  socket.emit('votes', count());
  socket.on('vote', (answer) => {
    if (!votes.has(answer)) return;
    for (const users of votes.values()) users.delete(userId);
    votes.get(answer)?.add(userId);
    io.emit('votes', count());
  });
});

function count() {
  return [...votes].map(([answer, users]) => ({ answer, count: users.size }));
}

// ---------------------------------------------------------------- pages

app.disable('x-powered-by');
app.use(express.static(join(import.meta.dirname, 'dist')));
app.get('/login', (_, response) => response.sendFile('index.html', { root: join(import.meta.dirname, 'dist') }));

app.post('/login', express.json({ limit: '1kb' }), (request, response) => {
  const { name, password } = /** @type {Record<string, unknown>} */ (request.body ?? {});
  const user = String(name);
  if (passwords.get(user) !== password) {
    response.status(403).json({});
    return;
  }
  const token = randomUUID();
  sessions.set(token, user);
  response.json({ token });
});

// Logging out ends connections too. The cause tells their pages to ask for a login, and not to connect again.
app.post('/logout', express.json({ limit: '1kb' }), (request, response) => {
  const { token } = /** @type {Record<string, unknown>} */ (request.body ?? {});
  const user = sessions.get(String(token));
  sessions.delete(String(token));
  for (const { key, data } of mooring.managersOf(user ?? ''))
    if (data === token) mooring.release(key, { closeCause: 'unauthenticated' });
  response.json({});
});

// ---------------------------------------------------------------- the end

for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => void stop());

async function stop() {
  await mooring.stop(); // tells every page when to come back
  const closed = io.close();
  http.closeAllConnections(); // browsers keep some open that nobody uses
  await closed;
}

console.log(`Vote on http://127.0.0.1:${port}/`);
