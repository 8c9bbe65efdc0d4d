import { setTimeout as sleep } from 'node:timers/promises';
import type { RawData, WebSocket } from 'ws';
import { z } from 'zod';
import { managerOf } from '../../adapters/ws.js';
import { issuesOf } from '../../config/written-settings.js';

/** `{"type":"run","tokens":50,"everyMs":100}`: a slow answer, like that of an AI agent. */
const runRequest = z.object({
  type: z.literal('run'),
  tokens: z.int().min(1).max(100_000),
  everyMs: z.int().min(0).max(60_000).default(50),
});

type RunRequest = z.output<typeof runRequest>;

/** What a message wants: a run, an echo, or to report the connection as failed. `problem`: a run that is not valid. */
type Command = { readonly run: RunRequest } | { readonly problem: string } | 'echo' | 'fail';

/** The longest text that is parsed, in bytes: no command is longer. */
const longestCommand = 4_096;

/**
 * A backend for trying Mooring out. It echoes every message. On `run` it holds the manager and streams tokens; on
 * `fail` it reports the connection as failed, as an application does.
 */
export function serveDemo(socket: WebSocket): void {
  // The close event follows and is enough; without a listener the error would end the process.
  socket.on('error', () => undefined);
  socket.on('message', (content, isBinary) => {
    const command = isBinary ? 'echo' : commandIn(content);
    if (command === 'echo') socket.send(content, { binary: isBinary });
    else if (command === 'fail') managerOf(socket).fail(new Error('the client asked for it'));
    else if ('problem' in command) socket.send(JSON.stringify({ type: 'error', message: command.problem }));
    else void stream(socket, command.run);
  });
}

/** The command in a message: a short JSON object with the type `run` or `fail`. Everything else is echoed. */
export function commandIn(content: RawData): Command {
  const bytes = content as Buffer;
  if (bytes.length > longestCommand || bytes[0] !== openingBrace) return 'echo';
  const text = bytes.toString();
  const message = parsed(text);
  const type = typeof message === 'object' && message !== null && 'type' in message ? message.type : null;
  if (type === 'fail') return 'fail';
  if (type !== 'run') return 'echo';
  const request = runRequest.safeParse(message);
  return request.success ? { run: request.data } : { problem: issuesOf(request.error) };
}

const openingBrace = '{'.charCodeAt(0);

/**
 * Streams to the thread's current connection: while the manager is held, a page may reload or lose its network, and the
 * next connection of the thread gets the rest. Ends when the manager is released.
 */
async function stream(socket: WebSocket, { tokens, everyMs }: RunRequest): Promise<void> {
  const manager = managerOf(socket);
  const released = new AbortController();
  const unregister = manager.onRelease(() => released.abort());
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
