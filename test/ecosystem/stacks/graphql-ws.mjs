import { once } from 'node:events';
import { buildSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { admit, attach, managerOf } from 'mooring/ws';
import { WebSocketServer } from 'ws';
import { whoIs } from './support/who-is.mjs';

/** @type {readonly import('../types.js').Stack[]} */
export const stacks = [
  stack('graphql-ws, with the query', async ({ mooring, authenticate, port, seen }) => {
    const schema = buildSchema('type Query { hello: String }');
    const roots = { query: { hello: () => 'hello' } };

    const server = new WebSocketServer({ port, path: '/graphql' });
    attach(server, { mooring, authenticate });

    const onConnect = ({ extra }) => seen(managerOf(extra.socket));

    useServer({ schema, roots, onConnect }, server, 0); // 0: no heartbeat of its own

    return ready(server, mooring);
  }),

  stack('graphql-ws, with `connection_init`', async ({ mooring, port, seen }) => {
    const schema = buildSchema('type Query { hello: String }');
    const roots = { query: { hello: () => 'hello' } };

    const server = new WebSocketServer({ port, path: '/graphql' });
    attach(server, { mooring, authenticate: 'later' });

    const onConnect = async ({ connectionParams, extra }) => {
      const { manager } = await admit(extra.socket, whoIs(connectionParams));
      return manager !== null; // null: Mooring has closed the socket, with the reason
    };

    const onSubscribe = ({ extra }) => seen(managerOf(extra.socket));
    useServer({ schema, roots, onConnect, onSubscribe }, server, 0);

    return ready(server, mooring);
  }),
];

/** @param {string} title @param {import('../types.js').Stack['start']} start @returns {import('../types.js').Stack} */
function stack(title, start) {
  const settings = { closeCodes: 'graphql-ws' };
  return { title, packages: ['graphql-ws', 'ws'], client: 'graphql-ws', path: '/graphql', settings, start };
}

/** @param {WebSocketServer} server @param {import('../../../src/index.js').Mooring} mooring */
async function ready(server, mooring) {
  const close = async () => {
    await mooring.stop();
    server.close();
    await once(server, 'close');
  };
  await once(server, 'listening');
  return { port: server.address().port, close };
}
