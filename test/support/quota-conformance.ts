import { isDeepStrictEqual } from 'node:util';
import { createClient } from 'redis';
import { emptyPartition, type PartitionState, type StoredEntry } from './redis-model/partition.js';
import { runScript } from './redis-model/run-script.js';
import type { Reply } from '../../src/redis/replies.js';
import { readScripts, scriptNames, type ScriptName } from '../../src/redis/scripts.js';
import { fixedKeys, startMs, ttlMs, userKeys, type QuotaStep } from './quota-steps.js';
import { startClockedRedis } from './redis-server.js';
import { afterThisTest } from './setup.js';
import { userIdOf } from './redis-model/stored.js';

/** Where Redis and the model are not the same. */
export interface Difference {
  /** Which step, counted from 0. */
  readonly index: number;
  readonly step: QuotaStep;
  readonly redis: unknown;
  readonly model: unknown;
}

/** Plays steps to a real Redis and to the model. */
export interface Conformance {
  /** How often each came: replies by script and kind, entries of the log by name. */
  readonly counts: ReadonlyMap<string, number>;
  /** Plays them from nothing. @returns the first difference; `null` if there is none */
  play(steps: readonly QuotaStep[]): Promise<Difference | null>;
}

const [metaKey, epochsKey, logKey] = fixedKeys;

type Send = (...words: readonly string[]) => Promise<unknown>;

type KeyEnd = 'ends' | 'never ends' | 'missing';

/** What a step left behind, of what it could change. */
interface Seen {
  readonly reply: unknown;
  /** Clock, when it was stored, and version. */
  readonly meta: unknown;
  readonly epochs: unknown;
  /** The entries that the step added. */
  readonly log: unknown;
  readonly users: unknown;
  /** For each key whether it is there, and ends by itself. */
  readonly ends: readonly KeyEnd[];
}

/** The text of a script, with or without a change. */
type TextOf = (name: ScriptName) => string;

/** @param textOf what Redis runs under a name @default the scripts as they are */
export async function startConformance(textOf?: TextOf): Promise<Conformance> {
  const { path, setTime } = await startClockedRedis(startMs);
  const client = createClient({ socket: { path, tls: false }, RESP: 2 });
  client.on('error', () => {});
  await client.connect();
  afterThisTest(() => {
    client.destroy();
  });
  const send: Send = (...words) => client.sendCommand([...words]);
  const sha1s = await loadScripts(send, textOf);
  const runId = /run_id:(\w+)/.exec(String(await send('INFO', 'server')))?.[1] ?? '';
  const counts = new Map<string, number>();

  const play = async (steps: readonly QuotaStep[]): Promise<Difference | null> => {
    await send('FLUSHALL');
    const state = emptyPartition();
    for (const [index, step] of steps.entries()) {
      setTime(step.nowMs);
      const lastId = state.log.at(-1)?.id ?? '0-0';
      const model = stepInModel(state, step, { runId, lastId });
      const redis = await stepInRedis(send, step, { sha1s, lastId });
      if (!isDeepStrictEqual(redis, model)) return { index, step, ...differing(redis, model) };
      for (const name of namesOf(step, model)) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return null;
  };
  return { counts, play };
}

/** @throws Error if Redis has another SHA-1 of a script than we */
async function loadScripts(send: Send, textOf?: TextOf): Promise<ReadonlyMap<ScriptName, string>> {
  const sources = readScripts();
  const sha1s = new Map<ScriptName, string>();
  for (const name of scriptNames) {
    const sha1 = String(await send('SCRIPT', 'LOAD', textOf?.(name) ?? sources[name].text));
    if (textOf === undefined && sha1 !== sources[name].sha1) throw new Error(`${name}: Redis has the SHA-1 ${sha1}`);
    sha1s.set(name, sha1);
  }
  return sha1s;
}

function namesOf(step: QuotaStep, { reply, log }: Seen): string[] {
  const entries = (log as [id: string, texts: string[]][]).map(([, texts]) => `log ${texts[1]!}`);
  if (step.kind !== 'script') return entries;
  const [kind, ...others] = reply as Reply;
  return [...entries, `${step.name} ${kind!}${step.name === 'assert' && others.length > 0 ? ' lost' : ''}`];
}

/** Only what is not the same. */
function differing(redis: Seen, model: Seen): Pick<Difference, 'redis' | 'model'> {
  const names = (Object.keys(model) as (keyof Seen)[]).filter((name) => !isDeepStrictEqual(redis[name], model[name]));
  const only = (seen: Seen): unknown => Object.fromEntries(names.map((name) => [name, seen[name]]));
  return { redis: only(redis), model: only(model) };
}

/** The users that a step touches. */
const usersOf = (step: QuotaStep): string[] => [
  ...new Set((step.kind === 'script' ? step.keys : [step.key]).filter((key) => userKeys.includes(key))),
];

interface RedisStep {
  readonly sha1s: ReadonlyMap<ScriptName, string>;
  readonly lastId: string;
}

async function stepInRedis(send: Send, step: QuotaStep, { sha1s, lastId }: RedisStep): Promise<Seen> {
  const users = usersOf(step);
  const keys = [...fixedKeys, ...users];
  const [reply, meta, epochs, log, ...others] = await Promise.all([
    step.kind === 'script'
      ? send('EVALSHA', sha1s.get(step.name)!, String(step.keys.length), ...step.keys, ...step.arguments).catch(String)
      : otherStep(send, step),
    send('HMGET', metaKey, 'clock', 'last', 'version', 'limit'),
    send('ZRANGE', epochsKey, '0', '-1', 'WITHSCORES'),
    send('XRANGE', logKey, `(${lastId}`, '+'),
    ...users.map((key) => send('HGETALL', key)),
    ...keys.map((key) => send('PTTL', key)),
  ]);
  const hashes = others.slice(0, users.length) as string[][];
  const ttls = others.slice(users.length) as number[];
  return { reply, meta, epochs, log, users: hashes.map(sortedPairs), ends: ttls.map(endOf) };
}

async function otherStep(send: Send, step: Exclude<QuotaStep, { kind: 'script' }>): Promise<unknown> {
  if (step.kind === 'delete') await send('DEL', step.key);
  else await Promise.all([send('HSET', step.key, step.field, step.value), send('PEXPIRE', step.key, String(ttlMs))]);
  return null;
}

/** Redis replies -2 if the key is not there, and -1 if it never ends: the model has no such key. */
function endOf(ttl: number): KeyEnd {
  if (ttl === -1) return 'never ends';
  return ttl > 0 ? 'ends' : 'missing';
}

function stepInModel(
  state: PartitionState,
  step: QuotaStep,
  { runId, lastId }: { runId: string; lastId: string },
): Seen {
  const reply = step.kind === 'script' ? runScript(state, { ...step, runId }) : otherInModel(state, step);
  const users = usersOf(step).map((key) => [...(state.users.get(userIdOf(key) ?? '') ?? [])]);
  const hasClock = state.lastMs !== null;
  const hasMeta = hasClock || state.limit !== '';
  const epochs = [...state.epochs].sort(([one, its], [other, theirs]) => its - theirs || (one < other ? -1 : 1));
  return {
    reply,
    meta: [
      ...(hasClock ? [String(state.clockMs), String(state.lastMs), '1'] : [null, null, null]),
      state.limit || null,
    ],
    epochs: epochs.flatMap(([epoch, score]) => [epoch, String(score)]),
    log: newEntries(state.log, lastId).map(({ id, texts }) => [id, texts]),
    users: users.map((pairs) => sortedPairs(pairs.flat())),
    ends: [hasMeta, epochs.length > 0, state.log.length > 0, ...users.map((pairs) => pairs.length > 0)].map(
      (isThere) => (isThere ? 'ends' : 'missing'),
    ),
  };
}

function newEntries(log: readonly StoredEntry[], lastId: string): readonly StoredEntry[] {
  return log.slice(log.findIndex(({ id }) => id === lastId) + 1);
}

function otherInModel(state: PartitionState, step: Exclude<QuotaStep, { kind: 'script' }>): null {
  const userId = userIdOf(step.key);
  if (userId === null) {
    if (step.key === metaKey) Object.assign(state, { lastMs: null, limit: '' });
    if (step.key === epochsKey) state.epochs.clear();
    if (step.key === logKey) state.log.length = 0;
  } else if (step.kind === 'delete') state.users.delete(userId);
  else state.users.set(userId, (state.users.get(userId) ?? new Map<string, string>()).set(step.field, step.value));
  return null;
}

/** Fields and values by turns, as lines in the order of the fields. */
function sortedPairs(texts: readonly string[]): string[] {
  return texts.flatMap((text, index) => (index % 2 === 0 ? [`${text} = ${texts[index + 1]!}`] : [])).sort();
}
