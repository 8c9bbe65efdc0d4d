/**
 * What the processes of a shared quota have in common: each is started by shared-process.ts, which gives it its options as
 * JSON, and writes a line for everything that slot-history.ts has to know.
 */
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * @typedef {object} SharedOptions
 * @property {string} library the folder of the built library
 * @property {string} redisUrl
 * @property {'redis' | 'ioredis'} client
 * @property {string} logFile
 * @property {import('../../src/index.js').MooringOptions} settings
 */

/** The options of this process. @template {SharedOptions} Options @returns {Options} */
export function optionsOfProcess() {
  return JSON.parse(process.argv[2] ?? '{}');
}

/** A module of the library. @param {SharedOptions} options @param {string} name @returns {Promise<unknown>} */
export function moduleOf({ library }, name) {
  return import(pathToFileURL(join(library, `${name}.js`)).href);
}

/**
 * A Mooring that shares its quota, once it is known to Redis or has found that it cannot be.
 * @param {SharedOptions} options
 */
export async function sharedMooring(options) {
  const { createMooring } = /** @type {typeof import('../../src/index.js')} */ (await moduleOf(options, 'index'));
  const { redisLedger } = /** @type {typeof import('../../src/redis/index.js')} */ (await moduleOf(options, 'redis'));
  const { redisUrl: url, client, settings } = options;
  const watched = watchedLedger(redisLedger(await clientOf(client, url)));
  const mooring = createMooring({ env: {}, ...settings, ledger: watched.ledger });
  writeHistory(mooring, options.logFile, watched.take);
  while (mooring.ledgerStatus === null) await new Promise((resolve) => setTimeout(resolve, 10));
  return mooring;
}

/** @param {SharedOptions['client']} name @param {string} url */
async function clientOf(name, url) {
  if (name === 'redis') return (await import('redis')).createClient({ url });
  const { Redis } = await import('ioredis');
  return new Redis(url, { lazyConnect: true });
}

/**
 * Notes when Redis was asked for each thread, and whether it said yes. It changes nothing else.
 * @param {import('../../src/index.js').QuotaLedger} ledger
 */
function watchedLedger(ledger) {
  /** @type {Map<string, { readonly askedAt: bigint, isAlone: boolean }>} */
  const questions = new Map();
  const acquire = ledger.acquire.bind(ledger);
  ledger.acquire = async (claim, limit) => {
    const question = { askedAt: process.hrtime.bigint(), isAlone: false };
    questions.set(`${claim.userId} ${claim.threadId}`, question);
    const answer = await acquire(claim, limit);
    question.isAlone = answer.granted === 'unknown';
    return answer;
  };
  /** @param {string} key */
  const take = (key) => {
    const { askedAt = 0n, isAlone = true } = questions.get(key) ?? {};
    questions.delete(key);
    return [isAlone ? 'alone' : 'granted', String(askedAt)];
  };
  return { ledger, take };
}

/**
 * Writes each line before anything else happens, so that a process that is killed has told everything. The time is that of
 * the machine, the same for all processes.
 *
 * @param {import('../../src/index.js').Mooring} mooring @param {string} file @param {(key: string) => string[]} answerFor
 */
function writeHistory(mooring, file, answerFor) {
  const descriptor = openSync(file, 'a');
  /** @param {(string | number)[]} words */
  const write = (...words) => {
    writeSync(descriptor, `${[process.hrtime.bigint(), ...words].join(' ')}\n`);
  };
  mooring.on('manager.admitted', ({ userId, threadId }) =>
    write('open', userId, threadId, ...answerFor(`${userId} ${threadId}`)),
  );
  mooring.on('manager.released', ({ userId, threadId, reason }) => write('release', userId, threadId, reason));
  mooring.on('admission.refused', ({ userId, threadId, closeCause }) => write('refuse', userId, threadId, closeCause));
  mooring.on('ledger.changed', ({ state }) => write('ledger', state));
  mooring.on('process.stalled', ({ stalledMs }) => write('stalled', Math.round(stalledMs)));
  write('start', process.pid);
}

/** @param {import('./shared-process.js').SharedReport} report */
export function tell(report) {
  process.send?.(report);
}

/** What the parent orders. The process ends with its parent. @param {(order: string) => void} obey */
export function listen(obey) {
  process.on('message', (order) => obey(String(order)));
  process.on('disconnect', () => process.exit(0));
}
