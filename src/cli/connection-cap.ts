import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Lets an HTTP server have no more than so many connections: for one too many, the one that has been without a request
 * for the longest goes, and where all have one, the newcomer itself.
 *
 * Why not `server.maxConnections`: that turns the newcomer away, so that whoever opens connections and says nothing
 * keeps out everybody who has something to ask.
 */
export function capConnections(server: Server, most: number): void {
  const all = new Set<Socket>();
  /** Those that nothing is being answered to, in the order in which that began. */
  const idle = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    all.add(socket);
    idle.add(socket);
    socket.once('close', () => {
      all.delete(socket);
      idle.delete(socket);
    });
    const [oldest] = idle;
    if (all.size > most) oldest?.destroy();
  });
  server.on('request', ({ socket }, response) => {
    idle.delete(socket);
    response.once('close', () => {
      if (all.has(socket)) idle.add(socket);
    });
  });
}
