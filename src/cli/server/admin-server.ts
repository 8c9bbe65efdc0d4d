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
import { capConnections } from './connection-cap.js';
import { listen, motionlessMs, requestPatience, type Address } from './listening.js';
import { originFormOf } from './request-target.js';
import { readVersion } from '../version.js';

/** What the admin server is started with. */
export interface AdminServerOptions {
  readonly mooring: Mooring;
  readonly access: Access;
  /** What browsers call it, behind a proxy that sets `Host` anew. @default none */
  readonly allowedOrigins?: readonly string[] | undefined;
  readonly loaded: LoadedConfig;
  readonly address: Address;
}

/** An admin server that runs. */
export interface AdminServing {
  readonly url: string;
  /** Ends every event stream, and resolves once all is closed. */
  stop(): Promise<void>;
}

/** Connections to the admin server, at the most and at the least. */
const [mostConnections, leastConnections] = [256, 16];

/** How long the last events have on their way to who watches. */
const farewellMs = 200;

/** How many connections the admin server takes; its file descriptors are kept from the WebSocket side. */
export function adminConnections(): number {
  const descriptors = fileDescriptorLimit() ?? Infinity;
  return Math.max(leastConnections, Math.min(mostConnections, Math.floor(descriptors / 8)));
}

/** How many may watch: two thirds of the connections at the most, so that others find some with few descriptors too. */
function maxViewers(): number {
  return Math.min(defaultMaxViewers, Math.floor((2 * adminConnections()) / 3));
}

/**
 * Serves the admin API on a port of its own, so that it answers while the WebSocket side is full.
 * @throws CommandError where it cannot listen there
 */
export async function startAdminServer({
  mooring,
  access,
  allowedOrigins = [],
  loaded,
  address,
}: AdminServerOptions): Promise<AdminServing> {
  const metrics = collectMetrics(mooring);
  const version = readVersion();
  const admin = createAdmin({ mooring, access, allowedOrigins, loaded, metrics, version, maxViewers: maxViewers() });
  // A check of health by HTTP/1.0 names no host.
  const answer = getRequestListener((request, env) => admin.fetch(request, env), { hostname: 'localhost' });
  const http = createServer(requestPatience, (request, response) => {
    request.url = originFormOf(request);
    void answer(request, response);
  });
  capConnections(http, adminConnections());
  http.setTimeout(motionlessMs);
  const place = await listen(http, address, { port: '--admin-port', host: '--admin-host' });
  // Without descriptors, nobody can be accepted for a while; that is no reason to end.
  http.on('error', () => undefined);
  const stop = async (): Promise<void> => {
    const closed = once(http, 'close');
    http.close();
    admin.close();
    await Promise.race([closed, sleep(farewellMs)]);
    http.closeAllConnections();
    await closed;
    metrics.end();
  };
  return { url: `http://${place}`, stop };
}
