// @ts-check
import { keepConnected } from '/mooring/client.js'; // with a bundler: from 'mooring/client'
import { element, statusLine } from './status.js';

/** @typedef {{ event: 'highest', data: { user: string, amount: number } | null }} Message */

// A reload keeps it.
const tab = sessionStorage.getItem('tab') ?? crypto.randomUUID();
sessionStorage.setItem('tab', tab);

const url = new URL(`/bids?tab=${tab}`, location.href);
url.protocol = url.protocol.replace('http', 'ws');

const status = statusLine(
  element('status', HTMLElement),
  {
    quota: ({ max }) => `You may have ${max ?? 'no more'} pages open. Close one of them.`,
    replaced: () => 'You bid in another tab.',
    evicted: () => 'You opened another page, and this one was unused for the longest time.',
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
      status.connected();
      const message = /** @type {Message} */ (JSON.parse(String(data)));
      show(message.data);
    });
    return socket;
  },
  { onClosed: status.closed },
);

const bid = element('bid', HTMLButtonElement);
let next = 100;
bid.addEventListener('click', () => {
  if (connection.socket.readyState !== WebSocket.OPEN) return;
  connection.socket.send(JSON.stringify({ event: 'bid', data: next }));
});

/** @param {Message['data']} highest */
function show(highest) {
  element('highest', HTMLElement).textContent =
    highest === null ? 'Nobody has bid yet.' : `${highest.amount} by ${highest.user}`;
  next = (highest?.amount ?? 0) + 100;
  bid.textContent = `Bid ${next}`;
}
