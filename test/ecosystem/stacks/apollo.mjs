import { createServer } from 'node:http';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginDrainHttpServer } from '@apollo/server/plugin/drainHttpServer';
import { expressMiddleware } from '@as-integrations/express5';
import { makeExecutableSchema } from '@graphql-tools/schema';
import express from 'express';
import { useServer } from 'graphql-ws/use/ws';
import { attach, managerOf } from 'mooring/ws';
import { WebSocketServer } from 'ws';
import { running } from './support/http.mjs';

/** @type {readonly import('../types.js').Stack[]} */
export const stacks = [
  {
    title: 'Apollo Server with graphql-ws',
    packages: ['@apollo/server', 'graphql-ws', 'ws'],
    client: 'graphql-ws',
    path: '/graphql',
    settings: { closeCodes: 'graphql-ws' },
    async start({ mooring, authenticate, seen }) {
      const typeDefs = 'type Query { hello: String }';
      const schema = makeExecutableSchema({ typeDefs, resolvers: { Query: { hello: () => 'hello' } } });
      const app = express();
      const http = createServer(app);

      const server = new WebSocketServer({ server: http, path: '/graphql' });
      attach(server, { mooring, authenticate });
      useServer({ schema, onConnect: ({ extra }) => seen(managerOf(extra.socket)) }, server, 0);

      const stopsMooring = { serverWillStart: async () => ({ drainServer: () => mooring.stop() }) };
      const plugins = [stopsMooring, ApolloServerPluginDrainHttpServer({ httpServer: http })];

      const apollo = new ApolloServer({ schema, plugins });
      await apollo.start();

      app.use('/graphql', express.json(), expressMiddleware(apollo));
      http.listen(0);
      const { port } = await running(http, mooring);
      return { port, close: () => apollo.stop() };
    },
  },
];
