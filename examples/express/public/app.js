// @ts-check
import { keepConnected } from '/mooring/client.js'; // with a bundler: from 'mooring/client'
import { element, statusLine } from './status.js';

// A reload keeps it.
const tab = sessionStorage.getItem('tab') ?? crypto.randomUUID();
sessionStorage.setItem('tab', tab);

const url = new URL(`/counter?tab=${tab}`, location.href);
url.protocol = url.protocol.replace('http', 'ws');

const status = statusLine(
  element('status', HTMLElement),
  {
    quota: ({ max }) => `You may have ${max ?? 'no more'} pages open. Close one of them.`,
    replaced: () => 'This page goes on in another tab.',
    requested: () => 'An operator has ended this connection.',
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
      element('total', HTMLElement).textContent = String(data);
    });
    return socket;
  },
  { onClosed: status.closed },
);

element('add', HTMLElement).addEventListener('click', () => {
  if (connection.socket.readyState === WebSocket.OPEN) connection.socket.send('add');
});
