import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import * as io from 'mooring/socket.io';
import * as ws from 'mooring/ws';
import { whoIs } from './support/who-is.mjs';

/** @type {readonly import('../types.js').Stack[]} */
export const stacks = [
  {
    title: 'Nest with `WsAdapter`',
    packages: ['@nestjs/core', '@nestjs/platform-ws', 'ws'],
    client: 'ws',
    start({ mooring, authenticate, seen }) {
      const { attach, managerOf } = ws;

      class MooredWsAdapter extends WsAdapter {
        create(port, options) {
          const server = super.create(port, options);
          attach(server, { mooring, authenticate });
          return server;
        }
      }

      class Chat {
        handleConnection(socket) {
          seen(managerOf(socket));
        }

        echo(_, data) {
          return { event: 'echo', data };
        }
      }

      return running(Chat, (app) => new MooredWsAdapter(app), mooring);
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
      const { attach, managerOf } = io;
      const authenticate = ({ handshake }) => whoIs(handshake.auth);

      class MooredIoAdapter extends IoAdapter {
        createIOServer(port, options) {
          const server = super.createIOServer(port, options);
          attach(server, { mooring, authenticate });
          return server;
        }
      }

      class Chat {
        handleConnection(socket) {
          seen(managerOf(socket));
        }

        echo(_, data) {
          return data;
        }
      }

      return running(Chat, (app) => new MooredIoAdapter(app), mooring);
    },
  },
];

/** An application with a gateway. What decorators do in TypeScript is done here by hand. */
async function running(Chat, adapterFor, mooring) {
  WebSocketGateway()(Chat);
  SubscribeMessage('echo')(Chat.prototype, 'echo', Object.getOwnPropertyDescriptor(Chat.prototype, 'echo'));

  class StopsMooring {
    beforeApplicationShutdown() {
      return mooring.stop();
    }
  }

  // eslint-disable-next-line @typescript-eslint/no-extraneous-class -- Nest wants it so
  class App {}
  Module({ providers: [Chat, StopsMooring] })(App);
  const app = await NestFactory.create(App, { logger: ['error'] });
  app.useWebSocketAdapter(adapterFor(app));
  await app.listen(0);
  return { port: app.getHttpServer().address().port, close: () => app.close() };
}
