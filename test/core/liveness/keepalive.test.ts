import { describe, expect, it } from 'vitest';
import { isKeepalive, keepalivePatterns } from '../../../src/core/liveness/keepalive.js';
import { harness, remote } from '../support.js';

const recordSeparator = '\u001e';
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const keepalives: [protocol: string, message: string][] = [
  ['Engine.IO ping', '2'],
  ['Engine.IO pong', '3'],
  ['Engine.IO probe', '2probe'],
  ['Engine.IO probe answer', '3probe'],
  ['graphql-ws ping', '{"type":"ping"}'],
  ['graphql-ws pong', '{"type":"pong"}'],
  ['graphql-ws ping with an empty payload', '{"type":"ping","payload":{}}'],
  ['graphql-ws pong without a payload', '{"type":"pong","payload":null}'],
  ['subscriptions-transport-ws', '{"type":"ka"}'],
  ['Phoenix heartbeat', '[null,"7","phoenix","heartbeat",{}]'],
  ['Phoenix answer', '[null,"7","phoenix","phx_reply",{"response":{},"status":"ok"}]'],
  ['Phoenix heartbeat as an object', '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"7"}'],
  ['SignalR', `{"type":6}${recordSeparator}`],
  ['SignalR without its separator', '{"type":6}'],
  ['Action Cable', '{"type":"ping","message":1700000000}'],
  ['plain, spaced', '{ "type": "ping" }'],
  ['plain with a time', '{"type":"ping","ts":1700000000.5}'],
  ['plain with an id', '{"type":"pong","id":"a1"}'],
  ['plain heartbeat', '{"type":"heartbeat"}'],
  ['bare ping', 'ping'],
  ['bare pong in capitals', 'PONG'],
];

const nearMisses: [what: string, message: string][] = [
  ['nothing', ''],
  ['Engine.IO message', '4'],
  ['Engine.IO message with an event', '42["say","hello"]'],
  ['Engine.IO close', '1'],
  ['a number that begins as Engine.IO does', '20'],
  ['Engine.IO probe and more', '2probes'],
  ['graphql-ws subscribe', '{"id":"1","type":"subscribe","payload":{}}'],
  ['a ping that carries words', '{"type":"ping","text":"hello"}'],
  ['a ping that carries a command', '{"type":"ping","payload":{"do":"delete"}}'],
  ['a message about ping', '{"type":"message","text":"ping"}'],
  ['a ping and another message', '{"type":"ping"}{"type":"say"}'],
  ['another type that begins so', '{"type":"pingpong"}'],
  ['the type in capitals', '{"type":"PING"}'],
  ['Phoenix in a room', '[null,"7","room:1","heartbeat",{}]'],
  ['Phoenix in a room with an x', '["x","7","room:x","heartbeat",{}]'],
  ['Phoenix join', '["1","1","phoenix","phx_join",{}]'],
  ['Phoenix object in a room', '{"topic":"room:1","event":"heartbeat","payload":{},"ref":"7"}'],
  ['SignalR invocation', `{"type":1,"target":"say"}${recordSeparator}`],
  ['SignalR 60', `{"type":60}${recordSeparator}`],
  ['SignalR ping and an invocation', `{"type":6}${recordSeparator}{"type":1}${recordSeparator}`],
  ['Action Cable message', '{"identifier":"x","message":{"a":1}}'],
  ['a word that begins so', 'pinging'],
  ['a sentence', 'ping me'],
  ['text around it', ' ping '],
  ['a line break after it', 'ping\n'],
];

describe('a keepalive', () => {
  it.each(keepalives)('of %s is recognised: %j', (_, message) => {
    expect(isKeepalive(message)).toBe(true);
  });

  it.each(keepalives)('of %s is recognised in bytes: %j', (_, message) => {
    expect(isKeepalive(bytes(message))).toBe(true);
  });

  it.each(nearMisses)('is not %s: %j', (_, message) => {
    expect(isKeepalive(message)).toBe(false);
    expect(isKeepalive(bytes(message))).toBe(false);
  });

  it.each([
    [96, true],
    [97, false],
  ])('of %i units is looked at: %s', (length, wanted) => {
    const around = '{"type":"ping","id":""}'.length;
    expect(isKeepalive(`{"type":"ping","id":"${'a'.repeat(length - around)}"}`)).toBe(wanted);
  });

  it('is looked for in a moment, whatever a message tries', () => {
    const nasty = [
      `{${' '.repeat(94)}{`,
      `[${'"'.repeat(94)}`,
      `{"topic"${':'.repeat(86)}`,
      '{"type":"ping",'.padEnd(96),
    ];
    for (const message of nasty) expect(isKeepalive(message)).toBe(false);
  });

  it('is never thrown over by any single byte', () => {
    for (let byte = 0; byte < 256; byte++) {
      expect(isKeepalive(Uint8Array.of(byte))).toBe(byte === 0x32 || byte === 0x33);
    }
  });

  it('has a pattern that cannot be changed for each protocol', () => {
    expect(Object.isFrozen(keepalivePatterns)).toBe(true);
  });
});

describe('a connection that sends only keepalives', () => {
  it('is seen, and is not active', async () => {
    const h = harness();
    const { connection, link } = await h.connect('ada', 'thread_1', remote);
    await h.time.advance(5_000);
    connection.keepalive();
    expect(link.lastSeenAtMs).toBe(5_000);
    expect(link.lastActivityAtMs).toBe(0);
  });

  it('is idle after the idle timeout', async () => {
    const h = harness();
    const { connection } = await h.connect('ada', 'thread_1', remote);
    for (let minute = 0; minute < 11 && !connection.isClosed; minute++) {
      connection.keepalive();
      await h.time.advance(60_000);
    }
    expect(h.said('manager.released')).toMatchObject([{ reason: 'idle' }]);
  });

  it('a pong is no activity either', async () => {
    const h = harness();
    const { connection, link } = await h.connect('ada', 'thread_1', remote);
    await h.time.advance(30_000);
    expect(connection.pings.length).toBeGreaterThan(0);
    expect(link.lastSeenAtMs).toBeGreaterThan(0);
    expect(link.lastActivityAtMs).toBe(0);
  });
});
