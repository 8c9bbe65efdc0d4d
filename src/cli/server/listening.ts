import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CommandError, exitCodes } from '../command-error.js';

/** Where to listen. */
export interface Address {
  readonly port: number;
  readonly host: string;
}

/**
 * How long a request may take to arrive, in milliseconds; for the first one the time counts from the connection. And
 * how often this is checked.
 */
export const requestTimeouts = Object.freeze({
  headersTimeout: 5_000,
  requestTimeout: 15_000,
  connectionsCheckingInterval: 1_000,
});

/**
 * How long an HTTP connection may be without traffic, in milliseconds. Longer than any answer takes: event streams send
 * something every 15 s, and cleanups take 10 s.
 */
export const socketTimeoutMs = 120_000;

/** The flags that an address came from, e.g. `--port` and `--host`. */
type AddressFlags = Readonly<Record<keyof Address, string>>;

/** What to try, by the code of the error of `listen`. */
const hints: Readonly<Record<string, (flags: AddressFlags) => string>> = {
  EADDRINUSE: ({ port }) => `that port is taken; choose another with ${port}, or ${port} 0 for any free port`,
  EACCES: ({ port }) => `that port needs more permissions; choose one from 1024 on with ${port}`,
  EADDRNOTAVAIL: ({ host }) => `this machine has no such address; choose another with ${host}`,
  ENOTFOUND: ({ host }) => `there is no such host; choose another with ${host}`,
};

/** Starts to listen. @returns host and port as in a URL @throws CommandError that says which flag to change */
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
