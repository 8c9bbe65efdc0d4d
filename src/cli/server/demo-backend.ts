import { setTimeout as sleep } from 'node:timers/promises';
import type { RawData, WebSocket } from 'ws';
import { z } from 'zod';
import { managerOf } from '../../adapters/ws.js';

/** `{"type":"run","tokens":50,"everyMs":100}`: an answer that takes its time, as an AI agent's does. */
const runRequest = z.object({
  type: z.literal('run'),
  tokens: z.int().min(1).max(100_000),
  everyMs: z.int().min(0).max(60_000).default(50),
});

type RunRequest = z.output<typeof runRequest>;

/** What a message asks for: a run, an echo, to give up on the connection, or nothing that makes sense as a run. */
type Asked = { readonly run: RunRequest } | { readonly problem: string } | 'echo' | 'fail';

/** The longest text that is looked at, in bytes; no command is longer. Whatever a client sends, parsing takes no time. */
const longestCommand = 4_096;

/**
 * A backend to try things with: echoes every message, streams tokens when asked to, holding the manager, and says that
 * the connection is broken when asked to, as an application does whose part of it has failed.
 */
export function serveDemo(socket: WebSocket): void {
  // What is wrong with the connection is told by its close; without a listener it would end the process.
  socket.on('error', () => undefined);
  socket.on('message', (content, isBinary) => {
    const asked = isBinary ? 'echo' : whatIsAsked(content);
    if (asked === 'echo') socket.send(content, { binary: isBinary });
    else if (asked === 'fail') managerOf(socket)?.fail(new Error('the client asked for it'));
    else if ('problem' in asked) socket.send(JSON.stringify({ type: 'error', message: asked.problem }));
    else void stream(socket, asked.run);
  });
}

/** Only a short JSON object whose type is `run` or `fail` is more than something to echo. */
export function whatIsAsked(content: RawData): Asked {
  const bytes = content as Buffer;
  if (bytes.length > longestCommand || bytes[0] !== openingBrace) return 'echo';
  const text = bytes.toString();
  const message = parsed(text);
  const type = typeof message === 'object' && message !== null && 'type' in message ? message.type : null;
  if (type === 'fail') return 'fail';
  if (type !== 'run') return 'echo';
  const request = runRequest.safeParse(message);
  if (request.success) return { run: request.data };
  return { problem: request.error.issues.map(({ path, message: wrong }) => `${path.join('.')}: ${wrong}`).join('; ') };
}

const openingBrace = '{'.charCodeAt(0);

/**
 * Streams to whoever has the thread: while the manager is held, a page may be reloaded, or its network may break, and the
 * next connection of the thread gets the rest. It ends when the manager is released.
 */
async function stream(socket: WebSocket, { tokens, everyMs }: RunRequest): Promise<void> {
  const manager = managerOf(socket);
  if (manager === undefined) return;
  const released = new AbortController();
  const unregister = manager.onRelease(() => {
    released.abort();
  });
  const done = manager.hold();
  const say = (message: object): void => manager.socket()?.send(JSON.stringify(message));
  try {
    for (let index = 0; index < tokens; index++) {
      say({ type: 'token', index, text: `token ${String(index + 1)} of ${String(tokens)}` });
      await sleep(everyMs, undefined, { signal: released.signal });
    }
    say({ type: 'done', tokens });
  } catch (error) {
    if (!released.signal.aborted) throw error;
  } finally {
    unregister();
    done();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
