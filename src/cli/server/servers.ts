import type { Access } from '../../admin/access.js';
import type { LoadedConfig } from '../../config/load-config.js';
import type { Logger } from '../../telemetry/log.js';
import { startAdminServer } from './admin-server.js';
import { startServer, type RunningServer, type ServerFlags } from './server.js';

/** The flags of the WebSocket server and of its admin server. */
export interface ServersFlags extends ServerFlags {
  readonly adminPort: number;
  readonly adminHost: string;
  /** Origins of the admin API in browsers, behind a proxy that changes `Host`. @default none */
  readonly adminOrigin?: readonly string[];
}

interface ServersOptions {
  readonly loaded: LoadedConfig;
  /** Who may use the admin API; `null` for no admin API. */
  readonly access: Access | null;
  readonly logger: Logger;
}

/** A running server and its admin API. */
export interface Servers extends RunningServer {
  /** Of the admin API; `null` without one. */
  readonly adminUrl: string | null;
}

/** Starts the server and its admin API. @throws CommandError if one of them cannot listen */
export async function startServers(flags: ServersFlags, options: ServersOptions): Promise<Servers> {
  const { loaded, access, logger } = options;
  const server = await startServer(loaded.config, flags, logger);
  const { mooring, url } = server;
  const address = { port: flags.adminPort, host: flags.adminHost };
  const admin =
    access === null
      ? null
      : await startAdminServer({ mooring, access, allowedOrigins: flags.adminOrigin, loaded, address });
  const stop = async (): Promise<void> => {
    await server.stop();
    await admin?.stop(); // last, so that viewers see every connection close
  };
  return { mooring, url, adminUrl: admin?.url ?? null, stop };
}
