// @ts-check
import { keepConnected } from '/mooring/client.js'; // with a bundler: from 'mooring/client'
import { element, statusLine } from './status.js';

/** @typedef {{ question: string | null, tokens: string[], state: string | null }} Run */
/** @typedef {{ run?: Run, index?: number, token?: string, state?: string }} Message */

// Part of the address: a reload, a bookmark or another tab with the same address goes on with the same run.
if (location.hash === '') history.replaceState(null, '', `#${crypto.randomUUID()}`);
const conversation = location.hash.slice(1);
addEventListener('hashchange', () => {
  location.reload();
});
element('thread', HTMLElement).textContent = `thread_${conversation}`;

// ---------------------------------------------------------------- the connection

const url = new URL(`/agent?${String(new URLSearchParams({ conversation }))}`, location.href);
url.protocol = url.protocol.replace('http', 'ws');

const status = statusLine(
  element('status', HTMLElement),
  {
    quota: ({ max }) => `At most ${max ?? 'a few'} conversations may be open in one browser. Close one of them.`,
    replaced: () => 'This conversation goes on in another tab.',
  },
  () => {
    connection.connect();
  },
);

const connection = keepConnected(
  () => {
    const socket = new WebSocket(url);
    socket.addEventListener('message', ({ data }) => {
      const message = /** @type {Message} */ (JSON.parse(String(data)));
      receive(message);
    });
    return socket;
  },
  { onClosed: status.closed },
);

// ---------------------------------------------------------------- the run

/** @type {Run} */
let run = { question: null, tokens: [], state: null };
/** Whether this page has shown all of the run since it began. */
let hasSeenBeginning = false;

/** @param {Message} message */
function receive(message) {
  status.connected();
  if (message.run !== undefined) {
    ({ run } = message);
    tellKept();
  }
  // By its index: a word that comes twice is shown once.
  if (message.index !== undefined && message.token !== undefined) run.tokens[message.index] = message.token;
  if (message.state !== undefined) run.state = message.state;
  show();
}

/** Says what the server has kept for this page. */
function tellKept() {
  const { tokens, state } = run;
  if (tokens.length === 0) hasSeenBeginning = true;
  const kept = element('kept', HTMLElement);
  kept.hidden = hasSeenBeginning;
  kept.textContent =
    state === 'running'
      ? `The run went on while this page was away. The server has kept the first ${tokens.length} words.`
      : `The server has kept the ${tokens.length} words of this run.`;
}

/** @type {Readonly<Record<string, string>>} */
const states = {
  running: 'The run goes on.',
  done: 'Done.',
  stopped: 'You stopped the run.',
  abandoned: 'The run was stopped, because its page was away for too long.',
  failed: 'The run failed.',
};

function show() {
  const { question, tokens, state } = run;
  element('run', HTMLElement).hidden = question === null;
  element('asked', HTMLElement).textContent = question;
  element('answer', HTMLElement).textContent = tokens.join('');
  element('state', HTMLElement).textContent = states[state ?? ''] ?? '';
  element('stop', HTMLElement).hidden = state !== 'running';
}

/** @param {{ ask: string } | { stop: true }} command */
function send(command) {
  if (connection.socket.readyState !== WebSocket.OPEN) return false;
  connection.socket.send(JSON.stringify(command));
  return true;
}

const question = element('question', HTMLInputElement);
element('ask', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  if (send({ ask: question.value })) question.value = '';
});
element('stop', HTMLElement).addEventListener('click', () => send({ stop: true }));
