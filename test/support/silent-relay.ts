import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterThisTest } from './setup.js';

/** A link that can break silently: nobody is told, and connections made later work. */
export interface SilentRelay {
  readonly port: number;
  /** From now on nothing gets through on the connections that are open, in either direction. */
  silence(): void;
  /** The silent connections are cut, and both ends are told. */
  cut(): void;
}

/** Relays TCP to a port of this machine. It goes with the test. */
export async function silentRelayTo(port: number): Promise<SilentRelay> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer((near) => {
    const far = connect({ port, host: '127.0.0.1' });
    pairs.add([near, far]);
    near.pipe(far);
    far.pipe(near);
    for (const socket of [near, far]) socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const silent = new Set<Socket>();
  const cut = (): void => {
    for (const socket of silent) socket.destroy();
  };
  afterThisTest(async () => {
    for (const socket of [...pairs].flat()) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  const silence = (): void => {
    for (const [near, far] of pairs) {
      near.unpipe(far);
      far.unpipe(near);
      silent.add(near).add(far);
    }
  };
  return { port: (server.address() as AddressInfo).port, silence, cut };
}
