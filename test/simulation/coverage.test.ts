import { expect, it, vi } from 'vitest';
import { EventStream, type KeyedDetails, type KeyedEventName } from '../../src/core/events.js';
import type { OfKey } from '../../src/core/event-row.js';
import type { MooringEventName, MooringEvents } from '../../src/core/event-table.js';
import { releaseReasons } from '../../src/core/vocabulary.js';
import { runScript } from '../../src/simulation/script.js';
import { smallWorld } from '../../src/simulation/small-world.js';

/**
 * Everything but what needs an adapter, credentials, another process, or an application that keeps things or gives bad
 * limits.
 */
const wanted = [
  ...['manager.admitted', 'connection.opened', 'connection.replaced', 'connection.answeredLate', 'heartbeat.missed'],
  ...['connection.left', 'connection.resumed', 'hold.expired', 'hold.forgotten'],
  ...['admission.queued', 'admission.cancelled', 'level.changed', 'cleanup.completed', 'background.completed'],
  ...['hook.failed', 'ledger.failed', 'process.stalled', 'server.draining', 'server.stopped'],
  ...Object.keys(releaseReasons).flatMap((reason) => (reason === 'moved' ? [] : [`released: ${reason}`])),
  ...['quota.exceeded', 'capacity.exceeded', 'key.contested', 'key.replaced', 'server.draining'].map(refused),
  refused('ticket.expired'),
  'closed: slow',
];

function refused(code: string): string {
  return `refused: ${code}`;
}

/** What an event tells, and what makes it different from others of its name. */
function kindsOf(name: MooringEventName, details: object): string[] {
  const kinds: string[] = [name];
  if ('reason' in details) kinds.push(`released: ${String(details.reason)}`);
  if ('code' in details) kinds.push(refused(String(details.code)));
  if ('closeCause' in details) kinds.push(`closed: ${String(details.closeCause)}`);
  return kinds;
}

it('200 small worlds see every event, every reason and every refusal', async () => {
  const said = new Set<string>();
  const { emit, emitOf } = EventStream.prototype;
  vi.spyOn(EventStream.prototype, 'emit').mockImplementation(function <Name extends MooringEventName>(
    this: EventStream,
    name: Name,
    details: MooringEvents[Name],
  ) {
    for (const kind of kindsOf(name, details)) said.add(kind);
    emit.call(this, name, details);
  });
  vi.spyOn(EventStream.prototype, 'emitOf').mockImplementation(function <Name extends KeyedEventName>(
    this: EventStream,
    name: Name,
    of: OfKey,
    details: KeyedDetails<Name>,
  ) {
    for (const kind of kindsOf(name, details)) said.add(kind);
    emitOf.call(this, name, of, details);
  });
  for (let seed = 1; seed <= 200; seed++) await runScript(smallWorld(seed));
  expect(wanted.filter((kind) => !said.has(kind))).toEqual([]);
}, 120_000);
