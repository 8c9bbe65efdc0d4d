import { z } from '@hono/zod-openapi';
import { eventNames } from '../../events/edge-events.js';
import { settingNames } from '../../core/settings.js';
import { writeSetting } from '../../config/written-settings.js';
import type { Mooring } from '../../core/mooring.js';
import type { AdminApp, AdminParts } from '../parts.js';
import { badField, ProblemError } from '../problems.js';
import {
  backgroundSchema,
  configSchema,
  kpisSchema,
  meSchema,
  overviewSchema,
  type BackgroundView,
  type ConfigView,
  type Overview,
} from '../schemas.js';
import { addActionRoute, cleanupAction, cleanedText } from './acting.js';
import { addRoute, dryRun } from './route.js';

const eventsQuery = z.strictObject({
  types: z.string().max(2_000).optional().describe('Names of events, separated by commas. All by default.'),
  user: z.string().max(256).optional().describe('Only events about this user.'),
});

/** Routes about the server as a whole. */
export function addServerRoutes(app: AdminApp, parts: AdminParts): void {
  const { mooring } = parts;
  addRoute(app, {
    route: 'GET /overview',
    summary: 'The server at a glance',
    response: { description: 'As of now; users by level as of the last check of each.', schema: overviewSchema },
    handle: () => overviewOf(parts),
  });
  addRoute(app, {
    route: 'GET /kpis',
    summary: 'The success metrics, with verdicts',
    response: { description: 'Of the last day, or since the start.', schema: kpisSchema },
    handle: () => {
      const { kpis, window } = mooring.kpis();
      return { kpis: [...kpis], window };
    },
  });
  addRoute(app, {
    route: 'GET /config',
    summary: 'The effective configuration, each value with its source',
    response: { description: 'The values that the server uses.', schema: configSchema },
    handle: () => configOf(parts),
  });
  addRoute(app, {
    route: 'GET /me',
    summary: 'The caller, and what its token allows',
    response: { description: 'As of the token of the request.', schema: meSchema },
    handle: ({ c }) => c.get('who'),
  });
  addBackground(app, parts);
  addEvents(app, parts);
}

function addBackground(app: AdminApp, parts: AdminParts): void {
  const { mooring } = parts;
  addActionRoute(app, parts, {
    route: 'POST /background-cleanup',
    summary: 'Run a background cycle now',
    body: z.strictObject({ dryRun }),
    response: { description: 'The managers that were released, or would be, and why.', schema: backgroundSchema },
    action: cleanupAction('background-cleanup'),
    target: () => ({}),
    act: async (_, { dryRun: isDry }) =>
      isDry ? previewCycle(mooring) : { ...(await mooring.backgroundCleanup.runCycle()), dryRun: false, chosen: [] },
    resultText: cleanedText,
  });
}

function addEvents(app: AdminApp, { hub }: AdminParts): void {
  addRoute(app, {
    route: 'GET /events',
    summary: 'The event stream, as server-sent events',
    description:
      'Each event has its name, its id and its fields as JSON. With `Last-Event-ID` a viewer that was disconnected less than a minute ago goes on where it was. `stream.dropped` tells how many events a slow viewer has missed, and `stream.gap` that the events in between are not known any longer. `stream.position`, after 15 seconds without another event, has only an id to go on from.',
    query: eventsQuery,
    headers: z.object({ 'last-event-id': z.string().optional().describe('The id of the last event that was seen.') }),
    response: { description: 'Never ends by itself.', schema: z.string(), contentType: 'text/event-stream' },
    problems: {
      503: 'Too many viewers: 100 in all, 75 with tokens that may only read, 25 with one such token, 50 with one that may act.',
    },
    handle: ({ query: { types, user }, c }) => {
      const filter = { types: namesIn(types), userId: user };
      const headers = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' };
      // Without a reader the stream would never end.
      if (c.req.method === 'HEAD') return c.body(null, 200, headers);
      const who = c.get('who');
      const full = hub.whatIsFull(who);
      if (full !== null) throw tooManyViewers(full);
      const cutOff = (): unknown => c.env.outgoing?.destroy();
      return c.body(hub.watch({ who, filter, lastEventId: c.req.header('last-event-id'), cutOff }), 200, headers);
    },
  });
}

function tooManyViewers(full: 'all' | 'share'): ProblemError {
  const which =
    full === 'all' ? 'Close another one' : 'Close another one of this token, or of tokens that may only read,';
  return new ProblemError({ kind: 'too-many-viewers', status: 503, detail: `${which} and come back.` });
}

function namesIn(types: string | undefined): ReadonlySet<string> | undefined {
  if (types === undefined) return undefined;
  const names = types.split(',').map((name) => name.trim());
  const wrong = names.find((name) => !(eventNames as readonly string[]).includes(name));
  if (wrong !== undefined)
    throw badField('types', `got ${JSON.stringify(wrong)}, wanted some of ${eventNames.join(', ')}`);
  return new Set(names);
}

function overviewOf({ mooring, version, recorder, hub }: AdminParts): Overview {
  const { config, journal } = mooring;
  const { rss, heapUsed } = process.memoryUsage();
  return {
    version,
    now: new Date().toISOString(),
    startedAt: recorder.startedAt.toISOString(),
    uptimeMs: recorder.uptimeMs,
    isDraining: mooring.isDraining,
    managers: mooring.managerCount,
    connections: recorder.connections,
    users: mooring.userCount,
    waiting: mooring.waitingCount,
    suspects: mooring.suspectCount,
    unsentBytes: mooring.unsentBytes,
    usersByLevel: mooring.monitor.usersByLevel(),
    limits: { perUser: config.maxManagersPerUser, total: config.maxTotalManagers },
    ledger: mooring.ledgerStatus,
    totals: recorder.totals,
    samples: recorder.samples,
    journal: { isKept: journal.isKept, bytes: journal.bytes, maxBytes: journal.maxBytes, users: journal.userCount },
    viewers: hub.counts,
    memory: { residentBytes: rss, heapUsedBytes: heapUsed },
  };
}

function configOf({ mooring, loaded }: AdminParts): ConfigView {
  const settings = settingNames.map((name) => {
    const value = mooring.config[name];
    return [name, { value, source: loaded?.sources[name] ?? null, written: writeSetting(name, value) }];
  });
  return {
    environment: loaded?.environment ?? null,
    settings: Object.fromEntries(settings) as ConfigView['settings'],
  };
}

async function previewCycle(mooring: Mooring): Promise<BackgroundView> {
  const startedAtMs = performance.now();
  const { chosen, byStrategy, users } = await mooring.previewBackgroundCleanup();
  const durationMs = performance.now() - startedAtMs;
  return { dryRun: true, cleaned: 0, users, byStrategy, errors: 0, durationMs, chosen: [...chosen] };
}
