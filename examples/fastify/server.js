// @ts-check
// A shopping list that people keep together, on Fastify: one hook says who a request comes from, page or connection.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import cookie from '@fastify/cookie';
import formbody from '@fastify/formbody';
import files from '@fastify/static';
import Fastify from 'fastify';
import { AuthenticationError, createMooring } from 'mooring';
import { mooringFastify } from 'mooring/fastify';

/** @typedef {{ id: number, text: string, isDone: boolean }} Item */
/** @typedef {{ add: string, toggle: number }} Wish what a page may ask for */

/** Your application has a database, and passwords that cannot be read. @type {ReadonlyMap<string, string>} */
const passwords = new Map([
  ['ada', 'ada'],
  ['bob', 'bob'],
]);

/** The secret keeps sessions valid after a restart. */
const { PORT = '3000', SESSION_SECRET = randomUUID() } = process.env;

const mooring = createMooring({ maxManagersPerUser: 2 });
const app = Fastify({ forceCloseConnections: true });

// ---------------------------------------------------------------- who a request comes from

/** Behind a proxy, this is the address that browsers see: `https://list.example`. @type {string[]} */
const origins = [];

await app.register(cookie, { secret: SESSION_SECRET });
await app.register(formbody, { bodyLimit: 1_024 });

app.decorateRequest('user', null);
app.addHook('onRequest', async (request, reply) => {
  const { method, headers, cookies } = request;
  const { valid, value } = app.unsignCookie(cookies['list_session'] ?? '');
  request.setDecorator('user', valid && passwords.has(value) ? value : null);
  reply.header('X-Content-Type-Options', 'nosniff');
  // A page of another site could post with the cookie of this one.
  if (method === 'POST' && !origins.includes(headers.origin ?? ''))
    await reply.code(403).send('Only pages of this site may do that.');
});

/** @param {import('fastify').FastifyRequest} request */
function userOf(request) {
  return /** @type {string | null} */ (request.getDecorator('user'));
}

// ---------------------------------------------------------------- connections

// Before the routes, so that it sees them.
await app.register(mooringFastify, {
  mooring,
  allowedOrigins: (origin) => origins.includes(origin),
  authenticate: (request) => {
    const userId = userOf(request);
    if (userId === null) throw new AuthenticationError('missing');
    const { tab = '' } = /** @type {Record<string, string>} */ (request.query);
    // A reload keeps its thread, and a person who only reads is not idle.
    return { userId, threadId: `thread_${tab}`, idleTimeoutMs: null };
  },
  websocket: { options: { maxPayload: 1_024 } },
});

/** By id. At most 100. @type {Map<number, Item>} */
const items = new Map();
let lastId = 0;

app.get('/list', { websocket: true }, (socket, request) => {
  console.log(`${request.manager?.userId ?? 'nobody'} looks at the list`);
  socket.send(listAsText());
  socket.on('message', (content) => {
    fulfil(wishOf(String(content)));
    for (const client of app.websocketServer.clients) client.send(listAsText());
  });
  // Without a listener, a message that is too big would end the process.
  socket.on('error', (error) => {
    console.warn(error.message);
  });
});

/** Anybody may send anything. @param {string} text @returns {Partial<Wish>} */
function wishOf(text) {
  try {
    const { add, toggle } = JSON.parse(text) ?? {};
    return { ...(typeof add === 'string' && { add }), ...(typeof toggle === 'number' && { toggle }) };
  } catch {
    return {};
  }
}

/** @param {Partial<Wish>} wish */
function fulfil({ add = '', toggle = 0 }) {
  const text = add.trim();
  if (text !== '') items.set((lastId += 1), { id: lastId, text, isDone: false });
  if (items.size > 100) items.delete(Math.min(...items.keys()));
  const item = items.get(toggle);
  if (item !== undefined) item.isDone = !item.isDone;
}

function listAsText() {
  return JSON.stringify({ items: [...items.values()] });
}

// ---------------------------------------------------------------- pages

await app.register(files, { root: join(import.meta.dirname, 'public'), index: false, extensions: ['html'] });

app.get('/', (request, reply) => (userOf(request) === null ? reply.redirect('/login') : reply.sendFile('index.html')));
// With a bundler these lines are not needed: the page imports mooring/client itself.
const clientFile = fileURLToPath(import.meta.resolve('mooring/client'));
app.get('/mooring/client.js', (_, reply) => reply.sendFile('client.js', join(clientFile, '..')));

app.post('/login', (request, reply) => {
  const { name = '', password } = /** @type {Record<string, string>} */ (request.body ?? {});
  if (passwords.get(name) !== password) return reply.redirect('/login#failed', 303);
  return reply
    .setCookie('list_session', name, { signed: true, httpOnly: true, sameSite: 'lax', path: '/' })
    .redirect('/', 303);
});
// Logging out ends connections too. The cause tells their pages to ask for a login, and not to connect again.
app.post('/logout', (request, reply) => {
  mooring.releaseAll(userOf(request) ?? '', { closeCause: 'unauthenticated' });
  return reply.clearCookie('list_session', { path: '/' }).redirect('/login', 303);
});

// ---------------------------------------------------------------- the start and the end

await app.listen({ port: Number(PORT), host: '127.0.0.1' });
const { port } = /** @type {import('node:net').AddressInfo} */ (app.server.address());
origins.push(`http://127.0.0.1:${port}`, `http://localhost:${port}`);

// Closing stops Mooring first, which tells every page when to come back.
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => void app.close());

console.log(`Shopping list on http://127.0.0.1:${port}/`);
