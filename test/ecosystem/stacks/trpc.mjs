import { once } from 'node:events';
import { initTRPC } from '@trpc/server';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import { attach, managerOf } from 'mooring/ws';
import { WebSocketServer } from 'ws';

/** @type {readonly import('../types.js').Stack[]} */
export const stacks = [
  {
    title: 'tRPC',
    packages: ['@trpc/server', '@trpc/client', 'ws'],
    client: 'trpc',
    refused: { code: 1013, reason: /^/ }, // onClose of its client gets no reason
    replaced: { code: 4409, reason: /^/ },
    drained: { code: 1012, reason: /^/ },
    async start({ mooring, authenticate, port, seen }) {
      const t = initTRPC.context().create();
      const hello = t.procedure.query(({ ctx }) => {
        seen(ctx.manager);
        return 'hello';
      });
      const router = t.router({ hello });

      const server = new WebSocketServer({ port });
      attach(server, { mooring, authenticate });

      const createContext = ({ res }) => ({ manager: managerOf(res) });
      applyWSSHandler({ wss: server, router, createContext });

      const close = async () => {
        await mooring.stop();
        server.close();
        await once(server, 'close');
      };
      await once(server, 'listening');
      return { port: server.address().port, close };
    },
  },
];
