import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { redisLedger, type RedisClient } from '../../src/redis/index.js';
import { redisTroubles } from '../../src/redis/redis-errors.js';
import { logEvents, type Logger } from '../../src/telemetry/log.js';
import { collectMetrics } from '../../src/telemetry/prometheus.js';
import { redisClients } from '../support/quota-node.js';
import { redisFaults, startFaulty, type RedisFault } from '../support/redis-faults.js';
import { afterThisTest } from '../support/setup.js';
import { closeOf, dial } from '../support/ws-client.js';
import { wsServer, type WsServer } from '../support/ws-server.js';

/** A row of the guide: what was done, what Redis or its client says, the reason, and what to do. */
type Row = readonly [name: string, said: string, reason: string, advice: string];

/** By client, what was seen. */
const seen = new Map<string, Row[]>();

/** How long Mooring may take to see that Redis cannot be asked, and how long a newcomer may wait then. */
const downWithinMs = 6_000;
const admittedWithinMs = 250;

describe.skipIf(process.env['TEST_HAS_REDIS'] === '0').each(redisClients)(
  'with a client of %s',
  (client, makeClient) => {
    it.each(redisFaults)('users are let in when $name', async (fault) => {
      const faulty = await startFaulty(fault);
      const url = fault.url?.(faulty.redis) ?? faulty.redis.url;
      const lenient = await serverWith(makeClient(url), true);
      const strict = await serverWith(makeClient(url), false);
      if (fault.act !== undefined) {
        await vi.waitFor(() => expect([lenient, strict].map(stateOf)).toEqual(['up', 'up']), downWithinMs);
        await fault.act(faulty);
      }
      if (fault.isHarmless === true) {
        await staysUp(lenient);
        return;
      }
      await vi.waitFor(() => expect([lenient, strict].map(stateOf)).toEqual(['down', 'down']), downWithinMs);
      await expectFallBack(lenient, strict);
      const row = rowOf(fault, lenient);
      seen.set(client, [...(seen.get(client) ?? []), row]);
    });
  },
);

describe('the guide', () => {
  it.skipIf(process.env['TEST_HAS_REDIS'] === '0')('says what was seen', () => {
    const guide = readFileSync(join(import.meta.dirname, '../../docs/guides/cluster.md'), 'utf8').split('\n');
    const printed = table();
    console.log(printed.join('\n'));
    const start = guide.indexOf(printed[0] ?? '');
    expect(guide.slice(start, start + printed.length + 1)).toEqual([...printed, '']);
  });
});

/** The rows of both clients; one for both if it is the same. */
function table(): string[] {
  const [ofNodeRedis = [], ofIoRedis = []] = redisClients.map(([client]) => seen.get(client) ?? []);
  const rows = ofNodeRedis.flatMap((row, index): Row[] => {
    const [name, ...others] = ofIoRedis[index] ?? row;
    if (isDeepStrictEqual(row, [name, ...others])) return [row];
    return [
      [`${name}, \`redis\``, row[1], row[2], row[3]],
      [`${name}, \`ioredis\``, ...others],
    ];
  });
  const head = ['Fault', 'Redis says', 'Reason in `ledger.changed`', 'What to do'];
  return [head, ['---', '---', '---', '---'], ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

interface Watched {
  readonly server: WsServer;
  readonly lines: readonly { readonly level: string; readonly text: string; readonly fields: object }[];
  metric(): Promise<string>;
}

/** A server whose log and metrics are looked at. */
async function serverWith(client: RedisClient, failOpen: boolean): Promise<Watched> {
  const ledger = redisLedger(client);
  const server = await wsServer({ ledger, environment: 'development', config: { failOpen, closeGraceMs: 100 } });
  const lines: { level: string; text: string; fields: object }[] = [];
  const at = (level: string) => (fields: object, text: string) => {
    lines.push({ level, text, fields });
  };
  const logger: Logger = { debug: () => undefined, info: at('info'), warn: at('warn'), error: at('error') };
  afterThisTest(logEvents(server.mooring, logger));
  const collected = collectMetrics(server.mooring);
  afterThisTest(() => {
    collected.end();
  });
  const metric = async (): Promise<string> => {
    const text = await collected.metrics();
    return /^mooring_ledger_state\{state="(\w+)"\} 1$/m.exec(text)?.[1] ?? 'none';
  };
  return { server, lines, metric };
}

const stateOf = ({ server }: Watched): string | undefined => server.mooring.ledgerStatus?.state;

/** The local limit decides at once; with `failOpen: false` the user is told when to come back. */
async function expectFallBack(lenient: Watched, strict: Watched): Promise<void> {
  const sinceMs = performance.now();
  const user = dial(lenient.server.url('ada', 'thread_1'));
  await once(user, 'open');
  expect(performance.now() - sinceMs).toBeLessThan(admittedWithinMs);
  expect(lenient.server.countOf('ada')).toBe(1);
  expect(await closeOf(dial(strict.server.url('ada', 'thread_1')))).toMatch(/^1013 unavailable;retry=\d+\.\d\d$/);
  expect(await lenient.metric()).toBe('down');
}

/** What the log and the status say. */
function rowOf({ name }: RedisFault, { server, lines }: Watched): Row {
  const line = lines.findLast(
    ({ text, fields }) => text === 'ledger.changed' && 'state' in fields && fields.state === 'down',
  );
  expect(line).toMatchObject({ level: 'warn', fields: { state: 'down', previous: 'suspended' } });
  const reason = server.mooring.ledgerStatus?.reason ?? '';
  expect(line?.fields).toMatchObject({ reason });
  const trouble = Object.values(redisTroubles).find(
    ({ means, advice }) => reason.startsWith(means) && reason.endsWith(`. ${advice}`),
  );
  if (trouble === undefined) throw new Error(`nothing is known of this reason: ${reason}`);
  const said = reason.slice(trouble.means.length, -trouble.advice.length);
  return [name, signOf(said), trouble.means, trouble.advice];
}

/** By what an operator finds the row: the code of Redis or of the system, or the text of Redis if it has none. */
function signOf(said: string): string {
  const sign = /ERR (.+?)(?= script:|\)\. $)/.exec(said)?.[1] ?? /\b[A-Z]{3,}\b/.exec(said)?.[0];
  // A connection that ends tells nothing, in one way or another.
  return sign === undefined || ['EPIPE', 'ECONNRESET'].includes(sign) ? '–' : `\`${sign}\``;
}

async function staysUp({ server }: Watched): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    const user = dial(server.url('ada', `thread_${round}`));
    await once(user, 'open');
    user.terminate();
    await sleep(50);
  }
  expect(server.said('ledger.changed').map(({ state }) => state)).toEqual(['up']);
}
