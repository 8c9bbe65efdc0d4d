/**
 * Clients of a stack, in a process of their own: so they can be stopped with SIGSTOP, and what they leave is not the
 * server's. Argument: the kind of client. Takes `{ id, task }` and `{ id, close }` from its parent.
 */

const [kind = ''] = process.argv.slice(2);
/** @type {import('./types.js').ClientModule} */
const { connect } = await import(`./clients/${kind}.mjs`);
/** @type {Map<number, () => unknown>} */
const closers = new Map();
const tell = (/** @type {object} */ message) => process.send?.(message);

/** @param {{ id: number, task?: import('./types.js').ClientTask }} message */
async function obey({ id, task }) {
  if (task === undefined) return closers.get(id)?.();
  const isIn = () => tell({ id, what: 'in' });
  /** @param {import('./types.js').Ending} ending */
  const ended = (ending) => tell({ id, what: 'end', ending });
  closers.set(id, await connect({ ...task, isIn, ended }));
  return undefined;
}

process.on('message', (message) => void obey(/** @type {Parameters<typeof obey>[0]} */ (message)));
process.on('disconnect', () => process.exit());
process.on('unhandledRejection', (error) => console.error(error)); // clients that were closed on purpose
tell({ what: 'ready' });
