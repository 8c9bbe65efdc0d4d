import { describe, expect, it, vi } from 'vitest';
import { isKeepalive } from '../../../src/core/liveness/keepalive.js';
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
  ['bare heartbeat', 'heartbeat'],
  ['bare keep-alive', 'keep-alive'],
  ['ping as a JSON string', '"ping"'],
  ['plain, in capitals', '{"type":"PING"}'],
  ['plain, with its keys in capitals', '{"TYPE":"PING","ID":12}'],
  ['plain, as .NET writes it', '{"MessageType":"Ping","Timestamp":"2024-05-01T12:00:00Z"}'],
  ['a key that says it all in capitals', '{"PING":1492420473027}'],
  ['plain, with the id first', '{"id":12,"type":"ping"}'],
  ['plain, over lines', '{\n  "type": "ping",\n  "ts": 1700000000\n}\n'],
  ['plain keep-alive', '{"type":"keep-alive"}'],
  ['plain keep_alive in capitals', '{"type":"KEEP_ALIVE"}'],
  ['an event', '{"event":"ping"}'],
  ['an action', '{"action":"ping"}'],
  ['an op', '{"op":"ping"}'],
  ['an op with its request first', '{"req_id":"100001","op":"ping"}'],
  ['a method', '{"method":"PING"}'],
  ['a cmd', '{"cmd":"ping"}'],
  ['a command', '{"command":"heartbeat"}'],
  ['a kind', '{"kind":"Heartbeat"}'],
  ['a t', '{"t":"ping"}'],
  ['a t with a time first', '{"ts":1700000000,"t":"pong"}'],
  ['a type with a t that is a time', '{"t":1700000000,"type":"ping"}'],
  ['a message type', '{"messageType":"ping","requestId":"r-1"}'],
  ['a date as text', '{"type":"ping","date":"2024-05-01T12:00:00.000Z"}'],
  ['a payload that has a time alone', '{"type":"ping","payload":{"timestamp":1700000000}}'],
  ['an answer that says it is well', '{"type":"pong","ok":true}'],
  ['a key that says it all', '{"ping":1492420473027}'],
  ['a key that says it all, answered', '{"pong":null}'],
  ['Phoenix array with a join', '["1","7","phoenix","heartbeat",{}]'],
  ['Phoenix array, spaced', '[ null, "7", "phoenix", "heartbeat", {} ]'],
  ['Phoenix object in another order', '{"event":"heartbeat","payload":{},"ref":"7","topic":"phoenix"}'],
  [
    'Phoenix answer as an object',
    '{"event":"phx_reply","payload":{"response":{},"status":"ok"},"ref":"7","topic":"phoenix","join_ref":null}',
  ],
  [
    'Phoenix answer, payload first',
    '{"payload":{"status":"ok","response":{}},"ref":"7","event":"phx_reply","topic":"phoenix"}',
  ],
  ['SignalR, spaced', `{ "type" : 6 }${recordSeparator}`],
  ['Action Cable, other way round', '{"message":1700000000,"type":"ping"}'],
  ['Pusher ping', '{"event":"pusher:ping","data":{}}'],
  ['Pusher pong', '{"data":"{}","event":"pusher:pong"}'],
  ['Pusher ping without data', '{"event":"pusher:ping","data":""}'],
  ['Meteor DDP ping', '{"msg":"ping"}'],
  ['Meteor DDP pong with an id', '{"msg":"pong","id":"a1"}'],
  ['STOMP', '\n'],
  ['STOMP 1.2', '\r\n'],
  ['NATS ping', 'PING\r\n'],
  ['NATS pong', 'PONG\r\n'],
  ['OCPP heartbeat', '[2,"19223201","Heartbeat",{}]'],
  ['OCPP heartbeat, spaced', '[2, "550e8400-e29b-41d4-a716-446655440000", "Heartbeat", {}]'],
  ['OCPP answer', '[3,"19223201",{"currentTime":"2024-05-01T12:00:00.000Z"}]'],
  ['Discord heartbeat', '{"op":1,"d":251}'],
  ['Discord first heartbeat', '{"op":1,"d":null}'],
  ['Discord heartbeat, other way round', '{"d":251,"op":1}'],
  ['Discord answer', '{"op":11}'],
  ['Discord answer in full', '{"t":null,"s":null,"op":11,"d":null}'],
  ['Home Assistant ping', '{"id":12,"type":"ping"}'],
  ['Home Assistant pong', '{"type":"pong","id":12}'],
  ['JSON-RPC', '{"jsonrpc":"2.0","method":"ping","id":1}'],
  ['JSON-RPC, other way round', '{"id":"7","method":"ping","jsonrpc":"2.0","params":{}}'],
  ['PeerJS', '{"type":"HEARTBEAT"}'],
  ['Phoenix answer without a status', '{"topic":"phoenix","event":"phx_reply","payload":{"response":{}},"ref":"7"}'],
  ['Phoenix answer without a response', '[null,"7","phoenix","phx_reply",{"status":"ok"}]'],
  ['a key that says it all, as yes', '{"ping":true}'],
  ['a key that says it all, with a time', '{"pong":{"ts":1700000000}}'],
  ['a payload before its type', '{"payload":{"ts":1700000000,"seq":2},"type":"ping"}'],
  ['empty parameters before the method', '{"params":[],"id":1,"method":"ping"}'],
  ['a payload before its type, whose t is a text', '{"payload":{"seq":2,"t":"noon"},"type":"ping"}'],
  ['an answer whose status is ok', '{"type":"pong","status":"ok"}'],
  ['keep-alive as a JSON string', '"keep-alive"'],
  ['Phoenix object without a payload', '{"topic":"phoenix","event":"heartbeat","ref":"7"}'],
  ['plain, with line ends of Windows and tabs', '\r\n{\r\n\t"type"\t:\t"ping"\r\n}'],
];

const binaryKeepalives: [protocol: string, bytes: number[]][] = [
  ['MQTT PINGREQ', [0xc0, 0x00]],
  ['MQTT PINGRESP', [0xd0, 0x00]],
  ['SignalR in MessagePack', [0x02, 0x91, 0x06]],
];

const nearMisses: [what: string, message: string][] = [
  ['nothing', ''],
  ['Engine.IO message', '4'],
  ['Engine.IO message with an event', '42["say","hello"]'],
  ['Engine.IO close', '1'],
  ['a number that begins as Engine.IO does', '20'],
  ['Engine.IO probe and more', '2probes'],
  ['graphql-ws subscribe', '{"id":"1","type":"subscribe","payload":{}}'],
  ['a ping with an id that is an object', '{"type":"ping","id":{"a":1}}'],
  ['a ping with an id that is a yes', '{"type":"ping","id":true}'],
  ['Phoenix object with another event', '{"topic":"phoenix","event":"phx_join","payload":{"status":"ok"},"ref":"7"}'],
  ['Phoenix answer that is text', '{"topic":"phoenix","event":"phx_reply","payload":"ok","ref":"7"}'],
  ['Phoenix answer with more', '[null,"7","phoenix","phx_reply",{"response":{},"status":"ok","x":1}]'],
  ['Phoenix answer with content', '[null,"7","phoenix","phx_reply",{"response":{"a":"b"},"status":"ok"}]'],
  ['Phoenix answer of a failure', '[null,"7","phoenix","phx_reply",{"response":{},"status":"error"}]'],
  ['Phoenix heartbeat with content', '[null,"7","phoenix","heartbeat",{"a":"b"}]'],
  ['Phoenix array whose join is no reference', '[{"a":1},"7","phoenix","heartbeat",{}]'],
  ['Phoenix array whose number is no reference', '[null,{"a":1},"phoenix","heartbeat",{}]'],
  ['Phoenix object whose number is no reference', '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":{}}'],
  ['Phoenix object with more', '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"7","x":1}'],
  ['an array that is too long', '[null,"7","phoenix","heartbeat",{},1]'],
  ['an array that is too short', '[null,"7"]'],
  ['an object without keys', '{}'],
  ['two keys that say it all', '{"ping":1,"pong":2}'],
  ['a key that says it all, as no', '{"ping":false}'],
  ['a key that says it all, with a word', '{"ping":"bob"}'],
  ['another key alone', '{"hello":true}'],
  ['OCPP error', '[4,"19223201",{"currentTime":"2024-05-01T12:00:00.000Z"}]'],
  ['OCPP answer to no id', '[3,{"a":1},{"currentTime":"2024-05-01T12:00:00.000Z"}]'],
  ['OCPP answer with a status', '[3,"19223201",{"status":"Accepted"}]'],
  ['OCPP answer with more', '[3,"19223201",{"currentTime":"2024-05-01T12:00:00.000Z","status":"Accepted"}]'],
  ['OCPP answer that is text', '[3,"19223201","currentTime"]'],
  ['OCPP answer whose time is a number', '[3,"19223201",{"currentTime":1714564800}]'],
  ['OCPP answer whose time is a sentence', '[3,"19223201",{"currentTime":"half past nine, or so"}]'],
  ['OCPP heartbeat of another type', '[1,"19223201","Heartbeat",{}]'],
  ['OCPP heartbeat with no id', '[2,{"a":1},"Heartbeat",{}]'],
  ['OCPP call', '[2,"19223201","BootNotification",{}]'],
  ['OCPP heartbeat with content', '[2,"19223201","Heartbeat",{"x":"y"}]'],
  ['a ping that carries words', '{"type":"ping","text":"hello"}'],
  ['a ping that carries a command', '{"type":"ping","payload":{"do":"delete"}}'],
  ['a message about ping', '{"type":"message","text":"ping"}'],
  ['a ping and another message', '{"type":"ping"}{"type":"say"}'],
  ['another type that begins so', '{"type":"pingpong"}'],
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
  ['a letter', 'p'],
  ['a letter and a line end', 'x\n'],
  ['a number', '6'],
  ['chat named by its type', '{"type":"message","msg":"ping"}'],
  ['chat named by its type, text first', '{"msg":"ping","type":"message"}'],
  ['chat without a type', '{"text":"ping"}'],
  ['chat under message', '{"message":"ping"}'],
  ['chat under data', '{"data":"ping"}'],
  ['a ping with a message of words', '{"type":"ping","message":"are you there?"}'],
  ['a ping with a payload of words', '{"type":"ping","payload":"wake up"}'],
  ['a ping with an id of words', '{"type":"ping","id":"wake up, please"}'],
  ['a ping of somebody', '{"action":"ping","target":"bob"}'],
  ['a ping of a user', '{"type":"ping","userId":"bob"}'],
  ['a ping on a map', '{"type":"ping","x":10,"y":20}'],
  ['a presence heartbeat', '{"type":"heartbeat","status":"away"}'],
  ['a heartbeat with a reading', '{"type":"heartbeat","bpm":72}'],
  ['a call with an id', '{"id":12,"type":"call","text":"ping"}'],
  ['an action that begins so', '{"action":"ping-pong-match"}'],
  ['an event of a namespace', '{"event":"game:ping"}'],
  ['pusher subscribe', '{"event":"pusher:subscribe","data":{"channel":"a"}}'],
  ['Pusher client event', '{"event":"client-ping","data":{"x":1}}'],
  ['Pusher ping with data', '{"event":"pusher:ping","data":{"x":"y"}}'],
  ['DDP method', '{"msg":"method","method":"ping","params":[],"id":"1"}'],
  ['JSON-RPC method that begins so', '{"jsonrpc":"2.0","method":"pingPlayer","id":1}'],
  ['JSON-RPC with parameters', '{"jsonrpc":"2.0","method":"ping","params":["bob"],"id":1}'],
  ['JSON-RPC answer', '{"jsonrpc":"2.0","result":{},"id":1}'],
  ['Discord identify', '{"op":2,"d":251}'],
  ['Discord op 10', '{"op":10,"d":{"heartbeat_interval":41250}}'],
  ['op 1 with words', '{"op":1,"d":"hello"}'],
  ['op 1 with more', '{"op":1,"d":251,"x":1}'],
  ['op 1 with an event', '{"op":1,"d":251,"t":"MESSAGE_CREATE"}'],
  ['op 1 with nothing', '{"op":1}'],
  ['op 12', '{"op":12}'],
  ['op 111', '{"op":111}'],
  ['type 6 with more', '{"type":6,"id":1}'],
  ['OCPP boot', '[2,"19223201","BootNotification",{}]'],
  ['OCPP heartbeat with content', '[2,"19223201","Heartbeat",{"a":"b c"}]'],
  ['OCPP heartbeat in lower case', '[2,"19223201","heartbeat",{}]'],
  ['OCPP boot answer', '[3,"1",{"currentTime":"2024-05-01T12:00:00Z","interval":300,"status":"Accepted"}]'],
  ['OCPP empty answer', '[3,"19223201",{}]'],
  ['OCPP error', '[4,"19223201","Heartbeat","",{}]'],
  ['Phoenix heartbeat with content', '[null,"7","phoenix","heartbeat",{"text":"hi there"}]'],
  ['Phoenix reply with content', '[null,"7","phoenix","phx_reply",{"response":{"a":1},"status":"ok"}]'],
  ['an array that says ping', '["ping"]'],
  ['Socket.IO event ping', '42["ping"]'],
  ['a NATS message', 'MSG a 1 4\r\nping\r\n'],
  ['NATS ping and more', 'PING\r\nPING\r\n+OK\r\n'],
  ['a line end and more', '\n\nx'],
  ['spaces', '   '],
  ['an empty object', '{}'],
  ['an empty array', '[]'],
  ['an id alone', '{"id":1}'],
  ['a type that is a list', '{"type":["ping"]}'],
  ['a type within', '{"data":{"type":"ping"}}'],
  ['an object cut off', '{"type":"ping"'],
  ['a ping key with words', '{"ping":"bob"}'],
  ['a ping key and more', '{"ping":1,"text":"hi"}'],
  ['a JSON string of words', '"ping me"'],
  ['the bytes of MQTT in text', '\u00c0\u0000'],
];

const otherNearMisses: [what: string, message: string][] = [
  ['Phoenix answer of nothing', '[null,"7","phoenix","phx_reply",null]'],
  ['an array of a topic that begins so', '[null,"7","phone","heartbeat",{}]'],
  ['an object of a topic that begins so', '{"topic":"phone","event":"heartbeat","payload":{}}'],
  ['an array cut off', '[2,"19223201","Heartbeat",{}'],
  ['OCPP call that begins so', '[2,"19223201","Hello",{}]'],
  ['a heartbeat as an array of type 20', '[20,"19223201","Heartbeat",{}]'],
  ['a time as an array of type 30', '[30,"19223201",{"currentTime":"2024-05-01T12:00:00Z"}]'],
  ['op 12 with a number', '{"op":12,"d":251}'],
  ['op 11 with a number', '{"op":11,"d":251}'],
  ['op 11 with a sequence number', '{"op":11,"s":7}'],
  ['a text that begins so and goes on for long', '3.14159265358979'],
];

const binaryNearMisses: [what: string, bytes: number[]][] = [
  ['MQTT with a length', [0xc0, 0x01]],
  ['MQTT PINGREQ and more', [0xc0, 0x00, 0x00]],
  ['MQTT DISCONNECT', [0xe0, 0x00]],
  ['half a PINGREQ', [0xc0]],
  ['SignalR close in MessagePack', [0x02, 0x91, 0x07]],
];

describe('a keepalive', () => {
  it.each(keepalives)('of %s is recognised: %j', (_, message) => {
    expect(isKeepalive(message)).toBe(true);
  });

  it.each(keepalives)('of %s is recognised in bytes: %j', (_, message) => {
    expect(isKeepalive(bytes(message))).toBe(true);
  });

  it.each([...nearMisses, ...otherNearMisses])('is not %s: %j', (_, message) => {
    expect(isKeepalive(message)).toBe(false);
    expect(isKeepalive(bytes(message))).toBe(false);
    expect(isKeepalive(Buffer.from(message))).toBe(false);
  });

  it.each(binaryKeepalives)('of %s is recognised', (_, octets) => {
    expect(isKeepalive(Uint8Array.from(octets))).toBe(true);
    expect(isKeepalive(Buffer.from(octets))).toBe(true);
  });

  it.each(binaryNearMisses)('is not %s', (_, octets) => {
    expect(isKeepalive(Uint8Array.from(octets))).toBe(false);
  });

  it.each([
    [128, true],
    [129, false],
  ])('of %i units is looked at: %s', (length, wanted) => {
    const around = '{"type":"ping"}'.length;
    expect(isKeepalive(`{"type":${' '.repeat(length - around)}"ping"}`)).toBe(wanted);
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

  it.each([
    ['{"channel":"room:1","text":"hello"}'],
    ['{"type":"chat","text":"hello"}'],
    ['{"type": "chat", "text": "hello"}'],
    ['{"id":12,"type":"chat"}'],
    ['{"t":"move","d":[1,2]}'],
    ['{"data":{"seq":7,"now":"ping"},"type":"chat"}'],
    ['{"data":[1,[2,3]],"type":"chat"}'],
    ['{"id":"type","method":"say"}'],
    ['{"type":1,"id":"7"}'],
    ['{"op":0,"d":5}'],
    ['["say","hello"]'],
    ['["say","hello","there"]'],
    ['["p","p",{"text":"p"}]'],
    ['[1,2,3]'],
    ['[true,"7","phoenix"]'],
    ['[2,"19223201","BootNotification",{}]'],
    ['[2,"19223201",{"currentTime":"2024-05-01T12:00:00Z"}]'],
    ['[null,"7","room:1","heartbeat",{}]'],
  ])('is not looked for by parsing: %s', (message) => {
    const parse = vi.spyOn(JSON, 'parse');
    expect([isKeepalive(message), isKeepalive(bytes(message))]).toEqual([false, false]);
    expect(parse).not.toHaveBeenCalled();
  });

  it('is never thrown over by any single byte', () => {
    for (let byte = 0; byte < 256; byte++) {
      expect(isKeepalive(Uint8Array.of(byte))).toBe([0x32, 0x33, 0x0a, 0x0d].includes(byte));
    }
  });
});

describe('a connection that sends only keepalives', () => {
  it('is seen, and is not active', async () => {
    const h = harness();
    const { transport, connection } = await h.connect('ada', 'thread_1', remote);
    await h.time.advance(5_000);
    transport.keepalive();
    expect(connection.lastSeenAtMs).toBe(5_000);
    expect(connection.lastActivityAtMs).toBe(0);
  });

  it('is idle after the idle timeout', async () => {
    const h = harness();
    const { transport } = await h.connect('ada', 'thread_1', remote);
    for (let minute = 0; minute < 11 && !transport.isClosed; minute++) {
      transport.keepalive();
      await h.time.advance(60_000);
    }
    expect(h.said('manager.released')).toMatchObject([{ reason: 'idle' }]);
  });

  it('a pong is no activity either', async () => {
    const h = harness();
    const { transport, connection } = await h.connect('ada', 'thread_1', remote);
    await h.time.advance(30_000);
    expect(transport.pings.length).toBeGreaterThan(0);
    expect(connection.lastSeenAtMs).toBeGreaterThan(0);
    expect(connection.lastActivityAtMs).toBe(0);
  });
});
