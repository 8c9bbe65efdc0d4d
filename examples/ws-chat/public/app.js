// @ts-check
import { keepConnected } from '/mooring/client.js'; // with a bundler: from 'mooring/client'
import { element, statusLine } from './status.js';

/** @typedef {{ user: string, text: string }} Message */
/** @typedef {{ thread: string, conversation: string, device: string, openMs: number }} Chat */

const conversation = new URLSearchParams(location.search).get('conversation') ?? 'lobby';

// A reload keeps it. A tab that is duplicated has the same, and takes the chat over.
const tab = sessionStorage.getItem('tab') ?? crypto.randomUUID().slice(0, 8);
sessionStorage.setItem('tab', tab);
const thread = `thread_${conversation}_${tab}`;
element('thread', HTMLElement).textContent = thread;
document.querySelector(`nav a[href$="=${CSS.escape(conversation)}"]`)?.setAttribute('aria-current', 'page');

// ---------------------------------------------------------------- the connection

const url = new URL(`/chat?${String(new URLSearchParams({ conversation, tab }))}`, location.href);
url.protocol = url.protocol.replace('http', 'ws');

const status = statusLine(
  element('status', HTMLElement),
  {
    quota: ({ max }) => `Your plan allows ${max ?? 'no more'} open chats. Close one below, and this one can go on.`,
    replaced: () => 'This chat goes on in another tab.',
    evicted: () => 'You opened another chat, and your plan allows no more. This one was unused for the longest time.',
    requested: () => 'You closed this chat from another tab.',
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
      const { messages, message } = /** @type {{ messages?: Message[], message?: Message }} */ (
        JSON.parse(String(data))
      );
      if (messages !== undefined) welcome(messages);
      if (message !== undefined) show(message);
    });
    return socket;
  },
  {
    onClosed: (explanation) => {
      status.closed(explanation);
      void listChats();
    },
  },
);

// ---------------------------------------------------------------- messages

const list = element('messages', HTMLElement);

/** `open` does not mean that we may stay. This message does. @param {Message[]} messages */
function welcome(messages) {
  status.connected();
  list.replaceChildren();
  for (const message of messages) show(message);
  void listChats();
}

/** As text, never as HTML. @param {Message} message */
function show({ user, text }) {
  const item = document.createElement('li');
  const name = document.createElement('b');
  name.textContent = user;
  item.append(name, ` ${text}`);
  list.append(item);
  item.scrollIntoView({ block: 'nearest' });
}

const input = element('text', HTMLInputElement);
element('say', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  if (connection.socket.readyState !== WebSocket.OPEN) return;
  connection.socket.send(input.value);
  input.value = '';
});

// ---------------------------------------------------------------- the user's open chats

/** How often the list was asked for: an older answer may come after a newer one. */
let asked = 0;

async function listChats() {
  const number = (asked += 1);
  const answer = await fetch('/chats').catch(() => null);
  if (number !== asked) return;
  const items = element('chats', HTMLElement);
  items.replaceChildren();
  if (answer?.ok !== true) return;
  const { user, plan, limit, chats } = /** @type {{ user: string, plan: string, limit: number, chats: Chat[] }} */ (
    await answer.json()
  );
  element('user', HTMLElement).textContent = user;
  element('plan', HTMLElement).textContent = `${chats.length} of ${limit}, plan ${plan}`;
  items.replaceChildren(...chats.map(itemOf));
}

/** @param {Chat} chat */
function itemOf(chat) {
  const item = document.createElement('li');
  const minutes = Math.floor(chat.openMs / 60_000);
  item.append(`${chat.conversation}, ${chat.device}, ${minutes === 0 ? 'just opened' : `open for ${minutes} min`} `);
  if (chat.thread === thread && connection.socket.readyState === WebSocket.OPEN) {
    item.append('(this tab)');
    return item;
  }
  const button = document.createElement('button');
  button.textContent = 'Close this one';
  button.addEventListener('click', () => void close(chat));
  item.append(button);
  return item;
}

/** @param {Chat} chat */
async function close({ thread }) {
  const headers = { 'Content-Type': 'application/json' };
  await fetch('/chats/close', { method: 'POST', headers, body: JSON.stringify({ thread }) });
  connection.connect(); // does nothing if this tab is connected
  await listChats();
}

addEventListener('focus', () => void listChats());
void listChats();
