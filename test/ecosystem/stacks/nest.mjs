import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { MooringModule, managerOf, withMooring } from 'mooring/nestjs';
import { whoIs } from './support/who-is.mjs';

/** @type {readonly import('../types.js').Stack[]} */
export const stacks = [
  {
    title: 'Nest with `WsAdapter`',
    packages: ['@nestjs/core', '@nestjs/platform-ws', 'ws'],
    client: 'ws',
    start({ mooring, authenticate, seen }) {
      class Chat {
        handleConnection(socket) {
          seen(managerOf(socket));
        }

        echo(_, data) {
          return { event: 'echo', data };
        }
      }

      const imports = [MooringModule.forRoot({ mooring, ws: { authenticate } })];
      return running(Chat, imports, (app) => {
        app.useWebSocketAdapter(withMooring(new WsAdapter(app), app));
      });
    },
  },
  {
    title: 'Nest with `IoAdapter`',
    packages: ['@nestjs/core', '@nestjs/platform-socket.io', 'socket.io'],
    client: 'socket.io',
    ways: ['websocket', 'polling', 'upgrade'],
    refused: { text: /^connect_error quota/ },
    replaced: { text: /^mooring replaced/ },
    drained: { text: /^mooring drain/ },
    start({ mooring, seen }) {
      const authenticate = ({ handshake }) => whoIs(handshake.auth);

      class Chat {
        handleConnection(socket) {
          seen(managerOf(socket));
        }

        echo(_, data) {
          return data;
        }
      }

      const imports = [MooringModule.forRoot({ mooring, socketIo: { authenticate } })];
      return running(Chat, imports, (app) => {
        app.useWebSocketAdapter(withMooring(new IoAdapter(app), app));
      });
    },
  },
];

/** An application with a gateway. What decorators do in TypeScript is done here by hand. */
async function running(Chat, imports, useAdapter) {
  WebSocketGateway()(Chat);
  SubscribeMessage('echo')(Chat.prototype, 'echo', Object.getOwnPropertyDescriptor(Chat.prototype, 'echo'));

  // eslint-disable-next-line @typescript-eslint/no-extraneous-class -- Nest wants it so
  class App {}
  Module({ imports, providers: [Chat] })(App);
  const app = await NestFactory.create(App, { logger: ['error'] });
  useAdapter(app);
  await app.listen(0);
  return { port: app.getHttpServer().address().port, close: () => app.close() };
}
