import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';
import { afterThisTest } from './setup.js';
import type { SocketIoServer, Way } from './socket-io-server.js';

const script = join(import.meta.dirname, 'socket-io-client.mjs');

/** A client of Socket.IO in a process of its own. */
export class ClientProcess {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;

  constructor(url: string, options: object) {
    this.#child = spawn(process.execPath, [script, url, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (this.#child.stdout !== null)
      createInterface({ input: this.#child.stdout }).on('line', (line) => this.lines.push(line));
    afterThisTest(() => {
      this.#child.kill('SIGKILL');
    });
  }

  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  async says(line: string): Promise<void> {
    await expect.poll(() => this.lines, { timeout: 15_000 }).toContain(line);
  }
}

/** Resolves once it is connected, and upgraded. */
export async function clientProcess(server: SocketIoServer, thread: string, way: Way): Promise<ClientProcess> {
  const client = new ClientProcess(server.url, {
    auth: { userId: 'ada', threadId: `thread_${thread}` },
    query: { userId: 'ada', threadId: `thread_${thread}` },
    transports: way === 'upgrade' ? ['polling', 'websocket'] : [way],
  });
  await client.says('connect');
  if (way === 'upgrade') await client.says('upgrade');
  return client;
}
