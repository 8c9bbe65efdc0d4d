// @ts-check
import { keepConnected } from '/mooring/client.js'; // with a bundler: from 'mooring/client'
import { element, statusLine } from './status.js';

/** @typedef {{ id: number, text: string, isDone: boolean }} Item */

// A reload keeps it.
const tab = sessionStorage.getItem('tab') ?? crypto.randomUUID();
sessionStorage.setItem('tab', tab);

const url = new URL(`/list?tab=${tab}`, location.href);
url.protocol = url.protocol.replace('http', 'ws');

const status = statusLine(
  element('status', HTMLElement),
  {
    quota: ({ max }) => `You may have the list open ${max ?? 'no more'} times. Close it somewhere else.`,
    replaced: () => 'You use the list in another tab.',
    evicted: () => 'You opened the list somewhere else, and this page was unused for the longest time.',
    unauthenticated: () => 'You are logged out.',
  },
  () => {
    connection.connect();
  },
);

const connection = keepConnected(
  () => {
    const socket = new WebSocket(url);
    socket.addEventListener('message', ({ data }) => {
      const { items } = /** @type {{ items: Item[] }} */ (JSON.parse(String(data)));
      status.connected();
      element('items', HTMLElement).replaceChildren(...items.map(lineOf));
    });
    return socket;
  },
  { onClosed: status.closed },
);

/** As text, never as HTML. @param {Item} item */
function lineOf({ id, text, isDone }) {
  const line = document.createElement('li');
  const label = document.createElement('label');
  const box = Object.assign(document.createElement('input'), { type: 'checkbox', checked: isDone });
  box.addEventListener('change', () => {
    send({ toggle: id });
  });
  label.append(box, ` ${text}`);
  line.append(label);
  return line;
}

const input = element('text', HTMLInputElement);
element('add', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  if (send({ add: input.value })) input.value = '';
});

/** @param {object} wish @returns {boolean} whether it was sent */
function send(wish) {
  if (connection.socket.readyState !== WebSocket.OPEN) return false;
  connection.socket.send(JSON.stringify(wish));
  return true;
}
