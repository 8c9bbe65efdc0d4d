import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { getRequestListener } from '@hono/node-server';
import type { Access } from '../../admin/access.js';
import { createAdmin } from '../../admin/admin.js';
import { defaultMaxViewers } from '../../admin/event-stream.js';
import type { LoadedConfig } from '../../config/load-config.js';
import type { Mooring } from '../../core/mooring.js';
import { fileDescriptorLimit } from '../../runtime/file-descriptor-limit.js';
import { collectMetrics } from '../../telemetry/prometheus.js';
import { readVersion } from '../version.js';
import { capConnections } from './connection-cap.js';
import { listen, requestTimeouts, socketTimeoutMs, type Address } from './listening.js';
import { originFormOf } from './request-target.js';

interface AdminServerOptions {
  readonly mooring: Mooring;
  readonly access: Access;
  /** Origins of the API in browsers, behind a proxy that changes `Host`. @default none */
  readonly allowedOrigins?: readonly string[] | undefined;
  readonly loaded: LoadedConfig;
  readonly address: Address;
}

/** A running admin server. */
interface RunningAdminServer {
  readonly url: string;
  /** Ends every event stream, and resolves once all is closed. */
  stop(): Promise<void>;
}

/** How long the last events may take to reach the viewers. */
const lastEventsMs = 200;

/** How many connections the admin server takes, 16 to 256. The WebSocket server leaves it as many file descriptors. */
export function adminConnections(): number {
  const descriptors = fileDescriptorLimit() ?? Infinity;
  return Math.max(16, Math.min(256, Math.floor(descriptors / 8)));
}

/**
 * Serves the admin API on a port of its own, so that it answers while the WebSocket side is full.
 * @throws CommandError if it cannot listen
 */
export async function startAdminServer(options: AdminServerOptions): Promise<RunningAdminServer> {
  const { mooring, access, allowedOrigins = [], loaded, address } = options;
  const metrics = collectMetrics(mooring);
  const version = readVersion();
  // Viewers of events get at most two thirds of the connections, so that other requests find some.
  const maxViewers = Math.min(defaultMaxViewers, Math.floor((2 * adminConnections()) / 3));
  const admin = createAdmin({ mooring, access, allowedOrigins, loaded, metrics, version, maxViewers });
  // A health check by HTTP/1.0 sends no Host.
  const answer = getRequestListener((request, env) => admin.fetch(request, env), { hostname: 'localhost' });
  const http = createServer(requestTimeouts, (request, response) => {
    request.url = originFormOf(request);
    void answer(request, response);
  });
  capConnections(http, adminConnections());
  http.setTimeout(socketTimeoutMs);
  const place = await listen(http, address, { port: '--admin-port', host: '--admin-host' });
  // Without file descriptors accepting fails for a while; the process goes on.
  http.on('error', () => undefined);
  const stop = async (): Promise<void> => {
    const closed = once(http, 'close');
    http.close();
    admin.close();
    await Promise.race([closed, sleep(lastEventsMs)]);
    http.closeAllConnections();
    await closed;
    metrics.end();
  };
  return { url: `http://${place}`, stop };
}
