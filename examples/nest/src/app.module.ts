import type { IncomingMessage } from 'node:http';
import { Module, UnauthorizedException } from '@nestjs/common';
import { createMooring } from 'mooring';
import { MooringModule } from 'mooring/nestjs';
import { AuctionGateway } from './auction.gateway.js';
import { Origins } from './origins.js';
import { PagesController } from './pages.controller.js';
import { Sessions } from './sessions.js';

@Module({ providers: [Sessions, Origins], exports: [Sessions, Origins] })
class AccountsModule {}

/** The user and the thread of a connection. A reload keeps its thread; a person who only looks is not idle. */
function whoIs(request: IncomingMessage, sessions: Sessions) {
  const session = sessions.of(request);
  if (session === null) throw new UnauthorizedException();
  const tab = new URL(request.url ?? '', 'http://localhost').searchParams.get('tab') ?? '';
  return { userId: session.user, threadId: `thread_${tab}`, idleTimeoutMs: null, data: session };
}

@Module({
  imports: [
    AccountsModule,
    MooringModule.forRootAsync({
      imports: [AccountsModule],
      inject: [Sessions, Origins],
      useFactory: (sessions: Sessions, origins: Origins) => ({
        mooring: createMooring({ maxManagersPerUser: 2 }),
        ws: {
          allowedOrigins: (origin: string) => origins.has(origin),
          authenticate: (request: IncomingMessage) => whoIs(request, sessions),
        },
      }),
    }),
  ],
  controllers: [PagesController],
  providers: [AuctionGateway],
})
export class AppModule {}
