import { createServer } from 'node:http';
import { createSchema, createYoga } from 'graphql-yoga';
import { useServer } from 'graphql-ws/use/ws';
import { attach, managerOf } from 'mooring/ws';
import { WebSocketServer } from 'ws';
import { running } from './support/http.mjs';

/** @type {readonly import('../types.js').Stack[]} */
export const stacks = [
  {
    title: 'GraphQL Yoga with graphql-ws',
    packages: ['graphql-yoga', 'graphql-ws', 'ws'],
    client: 'graphql-ws',
    path: '/graphql',
    settings: { closeCodes: 'graphql-ws' },
    start({ mooring, authenticate, seen }) {
      const yoga = createYoga({
        schema: createSchema({
          typeDefs: 'type Query { hello: String }',
          resolvers: { Query: { hello: () => 'hello' } },
        }),
        logging: false,
      });

      const http = createServer(yoga);
      const server = new WebSocketServer({ server: http, path: yoga.graphqlEndpoint });
      attach(server, { mooring, authenticate });

      const options = {
        execute: (args) => args.rootValue.execute(args),
        subscribe: (args) => args.rootValue.subscribe(args),
        onConnect: ({ extra }) => seen(managerOf(extra.socket)),
        onSubscribe: async (context, id, params) => {
          const enveloped = yoga.getEnveloped({ ...context, params });
          const { schema, execute, subscribe, contextFactory, parse } = enveloped;
          return {
            schema,
            operationName: params.operationName,
            document: parse(params.query),
            variableValues: params.variables,
            contextValue: await contextFactory(),
            rootValue: { execute, subscribe },
          };
        },
      };

      useServer(options, server, 0);

      http.listen(0);
      return running(http, mooring);
    },
  },
];
