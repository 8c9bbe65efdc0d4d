import { epochOf, printClaim, type StoredClaim } from '../../../src/redis/claims.js';
import { claimIn, listed, QuotaPartition, type PartitionState, type ThreadClaim, type UserSlots } from './partition.js';
import { valuesOf, type Reply } from '../../../src/redis/replies.js';
import type { ScriptName } from '../../../src/redis/scripts.js';
import type { ScriptCall } from '../../../src/redis/script-client.js';
import { isLaterId } from '../../../src/redis/stream-ids.js';
import { isOlderClaim, isSameClaim, parseSlot, printStamp, type Slot } from './stored.js';

/** A call of a script as the server sees it: what the client has sent, when it arrived, and which server it is. */
interface ServedCall extends ScriptCall {
  /** Redis's time, in milliseconds since 1970. */
  readonly nowMs: number;
  /** Redis's run id. */
  readonly runId: string;
}

/** A call with its arguments after the head. */
interface Running {
  readonly partition: QuotaPartition;
  readonly keys: readonly string[];
  readonly values: readonly string[];
  readonly runId: string;
}

/** Takeovers between processes that come less than this apart are a fight; after so many nobody takes the thread. */
const fight = Object.freeze({ withinMs: 2_000, maxTakeovers: 5 });
const maxEntries = 200;
const headLength = 4;

/**
 * A model of Redis, as far as the shared quota uses it: runs a script on the state of a partition, and replies what the script in
 * Lua replies. It changes nothing but the state, and what it does follows from the state and the call alone.
 *
 * It knows no TTL: keys that nobody renews stay.
 * @throws TypeError if a claim or a user's key in the call is malformed
 */
export function runScript(state: PartitionState, call: ServedCall): Reply {
  const [ownEpoch = '', beatMs, nodeTimeoutMs] = call.arguments;
  const { nowMs, keys, runId } = call;
  const head = { ownEpoch, beatMs: Number(beatMs), nodeTimeoutMs: Number(nodeTimeoutMs), nowMs };
  const partition = new QuotaPartition(state, head);
  if (!isOpenToAll[call.name] && !partition.isAlive(ownEpoch)) return ['unknown'];
  return bodies[call.name]({ partition, keys, runId, values: call.arguments.slice(headLength) });
}

/** Whether a script does its work for an epoch that is not alive. */
const isOpenToAll = Object.freeze({
  register: true,
  beat: true,
  leave: true,
  acquire: false,
  commit: false,
  release: false,
  exchange: false,
  assert: false,
  verify: false,
}) satisfies Readonly<Record<ScriptName, boolean>>;

const bodies = Object.freeze({
  register({ partition, values: [limit = ''], runId }) {
    const { state, clockMs, head } = partition;
    const otherLimit = state.limit;
    const isNew = !state.epochs.has(head.ownEpoch);
    if (isNew) {
      state.epochs.set(head.ownEpoch, clockMs);
      state.limit = limit;
      partition.tell('t', 'joined', 'e', head.ownEpoch);
    }
    return [isNew ? 'ok' : 'taken', clockMs, head.nowMs, runId, state.log.at(-1)?.id ?? '', otherLimit];
  },

  beat({ partition, values: [epochs = '', cursor = ''], runId }) {
    const { state, clockMs, head } = partition;
    Object.assign(state, { clockMs, lastMs: head.nowMs });
    const unknown = listed(epochs).filter((epoch) => !partition.isAlive(epoch));
    for (const epoch of listed(epochs)) if (!unknown.includes(epoch)) state.epochs.set(epoch, clockMs);
    for (const epoch of silentEpochs(partition)) {
      state.epochs.delete(epoch);
      partition.tell('t', 'died', 'e', epoch);
    }
    const [firstId, lastId] = [state.log[0]?.id ?? '', state.log.at(-1)?.id ?? ''];
    const seen = state.log.findLastIndex(({ id }) => !isLaterId(id, cursor));
    const entries = state.log.slice(seen + 1, seen + 1 + maxEntries);
    return [
      ...['ok', clockMs, head.nowMs, runId, firstId, lastId, unknown.length, ...unknown],
      ...entries.flatMap(({ id, texts }) => [id, texts.length, ...texts]),
    ];
  },

  leave({ partition, values: [epochs = ''] }) {
    return ['ok', listed(epochs).filter((epoch) => partition.state.epochs.delete(epoch)).length];
  },

  acquire({ partition, keys, values: [field = '', claim, limit, levels = ''] }) {
    const user = partition.readLiving(keys[3] ?? '');
    const thread = { field, claim: claimIn(claim) };
    const slot = user.slots.get(field);
    if (slot !== undefined) {
      if (slot.parsed === null) return ['contested', user.slots.size];
      return takeOver({ partition, user, thread, slot: slot.parsed });
    }
    if (user.slots.size >= Number(limit)) return ['full', user.slots.size, ...holdingEpochs(partition, user)];
    addSlot(partition, { user, thread: { field, claim: { ...thread.claim, takeovers: 0 } }, levels });
    return ['granted', user.slots.size];
  },

  commit({ partition, keys, values: [field = '', claim, limit, levels = ''] }) {
    const user = partition.readLiving(keys[3] ?? '');
    const thread = { field, claim: claimIn(claim) };
    const slot = user.slots.get(field);
    if (slot?.parsed) return [partition.place(user, thread, true) ? 'held' : 'lost', user.slots.size];
    if (slot !== undefined || user.slots.size >= Number(limit)) return ['absent', user.slots.size];
    addSlot(partition, { user, thread, levels });
    return ['held', user.slots.size];
  },

  release({ partition, keys, values: [field = '', text, levels = ''] }) {
    const user = partition.readUser(keys[3] ?? '');
    const claim = claimIn(text);
    const slot = user.slots.get(field)?.parsed ?? null;
    if (slot?.pending && isSameClaim(claim, slot.pending)) {
      partition.putSlot(user, field, { holder: slot.holder, pending: null });
    } else if (slot !== null && isSameClaim(claim, slot.holder)) {
      const before = user.slots.size;
      if (slot.pending === null) partition.removeSlot(user, field);
      else partition.putSlot(user, field, { holder: slot.pending, pending: null });
      partition.tellTotal(user, before, levels);
    }
    return ['ok', user.slots.size];
  },

  exchange({ partition, keys, values: [victimField = '', victim, field = '', text] }) {
    const user = partition.readLiving(keys[3] ?? '');
    const claim = claimIn(text);
    const [from, to] = [user.slots.get(victimField)?.parsed, user.slots.get(field)];
    if (!from || !isSameClaim(from.holder, claimIn(victim))) {
      const newcomer = to?.parsed ?? null;
      const isDone = newcomer !== null && isSameClaim(newcomer.holder, claim);
      return [isDone ? 'exchanged' : 'gone', user.slots.size];
    }
    if (from.pending !== null || to !== undefined || !partition.isAlive(epochOf(claim))) {
      return ['gone', user.slots.size];
    }
    partition.putSlot(user, field, { holder: claim, pending: null });
    partition.removeSlot(user, victimField);
    partition.tellClaim('granted', user, { field, claim });
    return ['exchanged', user.slots.size];
  },

  assert({ partition, keys, values: [cursor = '', ...claims] }) {
    const lost: number[] = [];
    const users = new Map(keys.slice(3).map((key) => [key, partition.readLiving(key)]));
    for (const [index, key] of keys.slice(3).entries()) {
      const [field = '', claim, open] = claims.slice(3 * index, 3 * index + 3);
      const user = users.get(key) ?? partition.readLiving(key);
      const thread = { field, claim: claimIn(claim) };
      const isHeld = user.slots.get(field)?.parsed
        ? partition.place(user, thread, open === '1')
        : putBack({ partition, user, thread, cursor });
      if (!isHeld) lost.push(index);
    }
    return ['ok', ...lost];
  },

  verify({ partition, keys, values: [field = '', text] }) {
    const { userId } = partition.readUser(keys[3] ?? '');
    const claim = claimIn(text);
    const slot = parseSlot(partition.state.users.get(userId)?.get(field) ?? '');
    if (slot !== null && isSameClaim(claim, slot.holder)) return ['held'];
    return [slot?.pending && isSameClaim(claim, slot.pending) ? 'pending' : 'lost'];
  },
}) satisfies Readonly<Record<ScriptName, (running: Running) => Reply>>;

interface Takeover {
  readonly partition: QuotaPartition;
  readonly user: UserSlots;
  readonly thread: ThreadClaim;
  readonly slot: Slot;
}

/** An acquire of a thread that has a slot. */
function takeOver({ partition, user, thread, slot }: Takeover): Reply {
  const { field, claim } = thread;
  const { holder, pending } = slot;
  const takes = (): Reply => ['takes', user.slots.size, printClaim(holder)];
  const isSoon = claim.stampMs - holder.stampMs < fight.withinMs;
  if (pending !== null && isSameClaim(claim, pending)) {
    partition.place(user, thread, false);
    return takes();
  }
  if (holder.processId === claim.processId) return replaceOwnHolder({ partition, user, thread, slot }, isSoon);
  const successor = { ...claim, takeovers: isSoon ? Math.min(holder.takeovers + 1, fight.maxTakeovers) : 0 };
  if (pending?.processId === claim.processId) {
    if (isOlderClaim(claim, pending)) return behind(slot);
    partition.putSlot(user, field, { holder, pending: successor });
    return takes();
  }
  if (isSoon && holder.takeovers >= fight.maxTakeovers) return ['contested', user.slots.size];
  return partition.place(user, { field, claim: successor }, false) ? takes() : behind(slot);
}

/** That is no takeover between processes: it is not counted as one, and the count goes on from where it was. */
function replaceOwnHolder({ partition, user, thread, slot }: Takeover, isSoon: boolean): Reply {
  const { field, claim } = thread;
  const { holder, pending } = slot;
  if (isSameClaim(claim, holder)) partition.place(user, thread, false);
  else if (isOlderClaim(claim, holder)) return behind(slot);
  else {
    const isKept = pending !== null && isOlderClaim(claim, pending);
    const takeovers = isSoon ? Math.min(holder.takeovers, fight.maxTakeovers) : 0;
    partition.putSlot(user, field, { holder: { ...claim, takeovers }, pending: isKept ? pending : null });
    if (pending !== null && !isKept && pending.processId !== claim.processId) {
      partition.tellClaim('moved', user, { field, claim: pending });
    }
  }
  return ['granted', user.slots.size];
}

/** The newest stamp of the thread. */
function behind({ holder, pending }: Slot): Reply {
  const newest: StoredClaim = pending !== null && isOlderClaim(holder, pending) ? pending : holder;
  return ['behind', printStamp(newest.stampMs)];
}

function addSlot(
  partition: QuotaPartition,
  { user, thread, levels }: { readonly user: UserSlots; readonly thread: ThreadClaim; readonly levels: string },
): void {
  const before = user.slots.size;
  partition.putSlot(user, thread.field, { holder: thread.claim, pending: null });
  partition.tellTotal(user, before, levels);
}

/** A claim whose thread has no slot that can be read. @returns whether it is not lost */
function putBack({
  partition,
  user,
  thread: { field, claim },
  cursor,
}: Omit<Takeover, 'slot'> & { readonly cursor: string }): boolean {
  const named = { t: 'moved', u: user.userId, f: field, p: claim.processId, c: printStamp(claim.stampMs) };
  const isMoved = partition.state.log.some(({ id, texts }) => {
    if (!isLaterId(id, cursor)) return false;
    const values = valuesOf(texts);
    return Object.entries(named).every(([name, value]) => values.get(name) === value);
  });
  if (isMoved) return false;
  if (!user.slots.has(field)) partition.putSlot(user, field, { holder: claim, pending: null });
  return true;
}

/** For each epoch that holds slots: its name, how many, and how long it is silent. */
function holdingEpochs(partition: QuotaPartition, { slots }: UserSlots): Reply {
  const counts = new Map<string, number>();
  for (const { parsed } of slots.values()) {
    if (parsed !== null) counts.set(epochOf(parsed.holder), (counts.get(epochOf(parsed.holder)) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([one], [other]) => (one < other ? -1 : 1));
  return sorted.flatMap(([epoch, count]) => [epoch, count, partition.silenceOf(epoch) ?? 0]);
}

/** In the order of a sorted set. */
function silentEpochs({ state, clockMs, head }: QuotaPartition): string[] {
  const silent = [...state.epochs].filter(([, score]) => score <= clockMs - head.nodeTimeoutMs);
  const sorted = silent.sort(([one, its], [other, theirs]) => its - theirs || (one < other ? -1 : 1));
  return sorted.map(([epoch]) => epoch);
}
