/**
 * A client of Socket.IO in a process of its own, so that a test can stop it with SIGSTOP. Arguments: the URL, and the
 * options as JSON. Prints what happens, one line each.
 */

import { io } from 'socket.io-client';

const [url = '', options = '{}'] = process.argv.slice(2);
/** @type {unknown} */
const given = JSON.parse(options);
const client = io(url, /** @type {Partial<import('socket.io-client').ManagerOptions>} */ (given));
const say = (/** @type {string} */ line) => process.stdout.write(`${line}\n`);

client.on('connect', () => {
  say('connect');
  const { engine } = client.io;
  if (engine.transport.name === 'websocket') say('upgrade');
  else engine.once('upgrade', () => say('upgrade'));
});
client.on('connect_error', ({ message }) => say(`connect_error ${message}`));
client.on('disconnect', (reason) => say(`disconnect ${reason}`));
client.on('mooring', (told) => say(`mooring ${JSON.stringify(told)}`));
