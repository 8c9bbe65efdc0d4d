import type { HttpBindings } from '@hono/node-server';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { LoadedConfig } from '../config/load-config.js';
import type { Mooring } from '../core/mooring.js';
import type { Admitted, Gatekeeper } from './access.js';
import type { Census } from './census.js';
import type { EventHub } from './event-stream.js';
import type { Recorder } from './recorder.js';
import type { Refusals } from './refusals.js';

/** What Prometheus is given. */
export interface MetricsText {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** What the routes work with. */
export interface AdminParts {
  readonly mooring: Mooring;
  readonly version: string;
  readonly loaded: LoadedConfig | null;
  readonly metrics: MetricsText | null;
  readonly gate: Gatekeeper;
  readonly census: Census;
  readonly recorder: Recorder;
  readonly hub: EventHub;
  readonly refusals: Refusals;
}

/** What a request carries on its way. */
export interface AdminEnv {
  /** As `@hono/node-server` passes them; elsewhere nothing. */
  readonly Bindings: Partial<HttpBindings>;
  readonly Variables: {
    /** Who asks. */
    who: Admitted;
  };
}

/** The application the routes are added to. */
export type AdminApp = OpenAPIHono<AdminEnv>;
