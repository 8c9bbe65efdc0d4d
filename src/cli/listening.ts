import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CommandError, exitCodes } from './command-error.js';

/** Where to listen. */
export interface Address {
  readonly port: number;
  readonly host: string;
}

/** The flags an address came from, e.g. `--port` and `--host`. */
export interface AddressFlags {
  readonly port: string;
  readonly host: string;
}

/** What to try, by the code of the error of `listen`. */
const hints: Readonly<Record<string, (flags: AddressFlags) => string>> = {
  EADDRINUSE: ({ port }) => `that port is taken; choose another with ${port}, or ${port} 0 for any that is free`,
  EACCES: ({ port }) => `that port needs more rights; choose one from 1024 on with ${port}`,
  EADDRNOTAVAIL: ({ host }) => `this machine has no such address; choose another with ${host}`,
  ENOTFOUND: ({ host }) => `there is no such host; choose another with ${host}`,
};

/** Listens there. @returns host and port as a URL has them. @throws CommandError that says which flag to change */
export async function listen(server: Server, address: Address, flags: AddressFlags): Promise<string> {
  server.listen(address.port, address.host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const hint = hints[code]?.(flags);
    throw new CommandError(hint === undefined ? message : `${message}: ${hint}`, exitCodes.trouble, { cause: error });
  }
  const { port } = server.address() as AddressInfo;
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${String(port)}`;
}
