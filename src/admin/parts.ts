import type { HttpBindings } from '@hono/node-server';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { LoadedConfig } from '../config/load-config.js';
import type { Mooring } from '../core/mooring.js';
import type { Admitted, Gatekeeper } from './access.js';
import type { Census } from './census.js';
import type { EventHub } from './event-stream.js';
import type { Recorder } from './recorder.js';
import type { Refusals } from './refusals.js';

/** The metrics as text. */
export interface MetricsText {
  readonly contentType: string;
  metrics(): Promise<string>;
}

export interface AdminParts {
  readonly mooring: Mooring;
  readonly version: string;
  readonly loaded: LoadedConfig | null;
  readonly metrics: MetricsText | null;
  readonly loginUrl: string | null;
  readonly gate: Gatekeeper;
  readonly census: Census;
  readonly recorder: Recorder;
  readonly hub: EventHub;
  readonly refusals: Refusals;
}

export interface AdminEnv {
  /** As `@hono/node-server` passes them; empty under other servers. */
  readonly Bindings: Partial<HttpBindings>;
  readonly Variables: {
    who: Admitted;
  };
}

export type AdminApp = OpenAPIHono<AdminEnv>;
