import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterThisTest } from './setup.js';

/** What the relay does to the bytes on their way, each direction by itself. */
export interface Link {
  /** How long each byte is on its way, one way. */
  readonly delayMs?: number;
  /** How many bytes get through in a second. */
  readonly bytesPerSecond?: number;
}

/** What lies between, while it is there. */
export interface Relay {
  readonly port: number;
  /** Cuts every connection. Newcomers are led to this port from now on; without one they are cut off, too. */
  cut(nextPort?: number): void;
  /** Carries nothing from now on, and tells nobody. @returns goes on */
  hold(): () => void;
}

/** A network: relays TCP to a port of this machine, late or little at a time where the link says so. */
export async function relayTo(port: number, link: Link = {}): Promise<Relay> {
  const sockets = new Set<Socket>();
  let target: number | undefined = port;
  let held: Promise<void> | null = null;
  const server = createServer({ allowHalfOpen: true, highWaterMark: 16_384 }, (near) => {
    if (target === undefined) {
      near.destroy();
      return;
    }
    const far = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    void carry(near, far, { ...link, held: () => held });
    void carry(far, near, { ...link, held: () => held });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (nextPort?: number): void => {
    target = nextPort;
    for (const socket of sockets) socket.destroy();
  };
  afterThisTest(async () => {
    cut();
    server.close();
    await once(server, 'close');
  });
  const hold = (): (() => void) => {
    let goOn!: () => void;
    held = new Promise((resolve) => {
      goOn = resolve;
    });
    return () => {
      held = null;
      goOn();
    };
  };
  return { port: (server.address() as AddressInfo).port, cut, hold };
}

/** Reads no faster than it may write, so that the sender feels the slowness as it would over a real link. */
async function carry(
  from: Socket,
  to: Socket,
  { delayMs = 0, bytesPerSecond = Infinity, held }: Link & { readonly held: () => Promise<void> | null },
): Promise<void> {
  try {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      await held();
      if (delayMs > 0) setTimeout(() => to.destroyed || to.write(chunk), delayMs);
      else if (!to.write(chunk)) await once(to, 'drain');
      await sleep((chunk.length / bytesPerSecond) * 1000);
    }
    await sleep(delayMs);
    to.end();
  } catch {
    to.destroy();
  }
}
