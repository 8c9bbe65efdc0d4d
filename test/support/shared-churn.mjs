/**
 * Admits and releases managers of a shared quota all the time, on connections without sockets, since there
 * are not enough descriptors. Started by shared-process.ts.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen, moduleOf, optionsOfProcess, sharedMooring, tell } from './shared-quota.mjs';

/**
 * @typedef {object} Churn
 * @property {number} users
 * @property {number} threads a user has
 * @property {number} held how many managers this process holds when it has them all
 * @property {number} atOnce how many admissions are under way at most
 * @property {number} perSecond how many are begun in a second at most, so that the machine has time for Redis
 */

/** How long most newcomers wait for a slot, in milliseconds; every tenth waits until it is refused. */
const patienceMs = 50;

/** @type {import('./shared-quota.mjs').SharedOptions & { readonly churn: Churn }} */
const options = optionsOfProcess();
const { users, threads, held, atOnce, perSecond } = options.churn;
const { FakeConnection } = /** @type {typeof import('../../src/testing/index.js')} */ (
  await moduleOf(options, 'testing')
);
const mooring = await sharedMooring(options);

/** @type {import('../../src/testing/index.js').FakeConnection[]} */
const open = [];
let admitted = 0;
const over = new AbortController();
setMaxListeners(0, over.signal);

/** @param {number} count */
const oneOf = (count) => Math.floor(Math.random() * count);

/**
 * A thread of a user that is not here now: those that are would be taken over within the process.
 * @returns {{ userId: string, threadId: string }}
 */
function newcomer() {
  const userId = `user-${oneOf(users)}`;
  const threadId = `thread_${oneOf(threads)}`;
  return mooring.getManager({ userId, threadId }) === undefined ? { userId, threadId } : newcomer();
}

function releaseOne() {
  const index = oneOf(open.length);
  const last = open.pop();
  if (last === undefined) return;
  if (index < open.length) {
    open[index]?.vanish();
    open[index] = last;
  } else last.vanish();
}

/** @param {boolean} isPatient */
async function admitOne(isPatient) {
  const transport = new FakeConnection();
  const signal = isPatient ? over.signal : AbortSignal.timeout(patienceMs);
  const { connection } = await mooring.connect(transport, newcomer(), { signal });
  if (connection === null) return;
  transport.bind(connection);
  admitted += 1;
  open.push(transport);
}

/** @param {number} index */
async function churn(index) {
  const everyMs = (1_000 * atOnce) / perSecond;
  for (let turn = index; !over.signal.aborted; turn += 1) {
    const sinceMs = performance.now();
    while (mooring.managerCount >= held && open.length > 0) releaseOne();
    await admitOne(turn % 10 === 0);
    await sleep(Math.max(1, everyMs - (performance.now() - sinceMs)));
  }
}

listen((order) => {
  if (order === 'end') over.abort();
  else if (order === 'stop') void mooring.stop().then(() => process.exit(0));
});
tell({ what: 'ready', port: 0 });
await Promise.all(Array.from({ length: atOnce }, (_, index) => churn(index)));
tell({ what: 'ended', admitted });
