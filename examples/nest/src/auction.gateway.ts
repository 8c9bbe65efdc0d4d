import {
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  type OnGatewayConnection,
} from '@nestjs/websockets';
import type { WebSocketManager } from 'mooring';
import { Manager } from 'mooring/nestjs';
import { WebSocket, type WebSocketServer as Server } from 'ws';

interface Offer {
  readonly user: string;
  readonly amount: number;
}

/** The messages are `{ event, data }`, as `WsAdapter` wants them. */
@WebSocketGateway({ path: '/bids', maxPayload: 1_024 })
export class AuctionGateway implements OnGatewayConnection<WebSocket> {
  @WebSocketServer()
  private readonly server!: Server;
  #highest: Offer | null = null;

  handleConnection(client: WebSocket): void {
    this.#tell(client);
    // Without a listener, a message that is too big would end the process.
    client.on('error', (error) => {
      console.warn(error.message);
    });
  }

  @SubscribeMessage('bid')
  bid(@MessageBody() amount: unknown, @Manager() manager: WebSocketManager): void {
    if (!Number.isSafeInteger(amount) || Number(amount) <= (this.#highest?.amount ?? 0)) return;
    this.#highest = { user: manager.userId, amount: Number(amount) };
    for (const client of this.server.clients) this.#tell(client);
  }

  #tell(client: WebSocket): void {
    if (client.readyState === WebSocket.OPEN) client.send(JSON.stringify({ event: 'highest', data: this.#highest }));
  }
}
