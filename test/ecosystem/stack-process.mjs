/**
 * One stack, from its start to its end, in a process of its own, which must end by itself. Arguments: the file of
 * test/ecosystem/stacks/, and the number of the stack in it. Writes to descriptor 3, one JSON object a line: the `stack`,
 * then each `fact` with its `fault` or null, then an empty object.
 */

import assert from 'node:assert/strict';
import { readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { facts, limit, World } from './facts.mjs'; // counts Mooring's timers, so it comes before Mooring

/** Not to be found from here, but where this file is copied to. @type {string} */
const library = 'mooring';
/** @type {typeof import('../../src/index.js')} */
const { createMooring } = await import(library);
const [file = '', index = '0'] = process.argv.slice(2);
/** @type {{ stacks: readonly import('./types.js').Stack[] }} */
const { stacks } = await import(`./stacks/${file}.mjs`);
const stack = stacks[Number(index)];
if (stack === undefined) throw new Error(`${file} has no stack ${index}`);
const factNames = /** @type {import('./types.js').FactName[]} */ (Object.keys(facts));
const skips = skipsOf(stack);
report({ stack: { title: stack.title, versions: stack.packages.map(versionOf), skips, total: stacks.length } });

const mooring = createMooring({ environment: 'development', env: {}, maxManagersPerUser: limit, ...stack.settings });
const world = new World(stack, mooring);

if (stack.attachThrows !== undefined)
  await look('managed', () => assert.rejects(world.start(), { name: 'TypeError', message: stack.attachThrows }));
else if (skips.managed === undefined) await lookAtAll();
report({});
if (skips.clean !== undefined) process.exit(); // else it ends by itself

async function lookAtAll() {
  await world.start();
  for (const name of factNames) if (skips[name] === undefined) await look(name, () => facts[name](world));
  if (skips.close !== undefined) await world.close();
  await world.endClients();
}

/** @param {string} fact @param {() => Promise<void>} check */
async function look(fact, check) {
  try {
    await check();
    report({ fact, fault: null });
  } catch (error) {
    report({ fact, fault: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

/** @param {import('./types.js').Stack} stack @returns {import('./types.js').Skips} */
function skipsOf({ needsNode = 20, attachThrows, skips = {} }) {
  const all = (/** @type {string} */ why) => Object.fromEntries(factNames.map((name) => [name, why]));
  if (Number(process.versions.node.split('.')[0]) < needsNode) return all(`needs Node.js ${needsNode}`);
  if (attachThrows !== undefined) return all('`attach` throws a `TypeError`, which says so; this is tested');
  return skips;
}

/** @param {string} name as in package.json; an alias names another package there */
function versionOf(name) {
  const { name: realName, version } = JSON.parse(
    readFileSync(join(import.meta.dirname, 'node_modules', name, 'package.json'), 'utf8'),
  );
  return `${realName} ${version}`;
}

/** @param {object} line */
function report(line) {
  writeSync(3, `${JSON.stringify(line)}\n`);
}
