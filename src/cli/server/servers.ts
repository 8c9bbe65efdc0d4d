import type { Access } from '../../admin/access.js';
import type { LoadedConfig } from '../../config/load-config.js';
import { startAdminServer } from './admin-server.js';
import type { Logger } from '../../telemetry/log.js';
import { startServer } from './server.js';
import { onStopSignals, type StopSignal } from '../terminal/stop-signals.js';

/** Where to listen, as the flags say it. */
export interface ServersFlags {
  readonly port: number;
  readonly host: string;
  /** The longest message that is taken, in bytes. @default 1 MiB */
  readonly maxPayload?: number;
  readonly adminPort: number;
  readonly adminHost: string;
  readonly adminOrigin?: readonly string[];
}

/** What to serve. */
interface ServersOptions {
  readonly loaded: LoadedConfig;
  /** Who may use the admin API; `null` for none at all. */
  readonly access: Access | null;
  readonly logger: Logger;
}

/** A server that runs, and its admin API. */
export interface Servers {
  /** Of the WebSocket server. */
  readonly url: string;
  /** Of the admin API; `null` where there is none. */
  readonly adminUrl: string | null;
  /** Managers there are now. */
  readonly managerCount: number;
  /** Tells everybody to go elsewhere, and resolves once all is closed. Who watches sees everybody leave. */
  stop(): Promise<void>;
}

/**
 * Starts the server and its admin API.
 * @throws CommandError where they cannot listen there
 */
export async function startServers(flags: ServersFlags, options: ServersOptions): Promise<Servers> {
  const { loaded, access, logger } = options;
  const serving = await startServer(loaded.config, flags, logger);
  const { url, mooring } = serving;
  const address = { port: flags.adminPort, host: flags.adminHost };
  const admin =
    access === null
      ? null
      : await startAdminServer({ mooring, access, allowedOrigins: flags.adminOrigin, loaded, address });
  return {
    url,
    adminUrl: admin?.url ?? null,
    get managerCount() {
      return mooring.managerCount;
    },
    stop: async () => {
      await serving.stop();
      await admin?.stop();
    },
  };
}

/**
 * The first Ctrl-C or SIGTERM stops in good order, and ends the process with 0; the second ends it at once.
 * @param stop announces itself, and resolves once all is closed
 */
export function stopOnSignals(stop: (signal: StopSignal) => Promise<void>): void {
  const forget = onStopSignals(
    (signal) => {
      void stop(signal).then(() => {
        forget();
        process.exit(0);
      });
    },
    (code) => process.exit(code),
  );
}
