import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterThisTest } from './setup.js';

/** What to replace in a configuration, and with what. */
export type Changes = Readonly<Record<string, string>>;

/** A kind of proxy, and its configuration in our page about proxies. */
interface ProxyKind {
  readonly command: string;
  readonly argumentsFor: (file: string, folder: string) => readonly string[];
  /** The listener of the configuration, as it is written there. */
  readonly listener: string;
  readonly listenerAt: (port: number) => string;
  /** The configuration as a whole file. */
  readonly whole: (block: string, folder: string) => string;
}

export const proxyKinds = Object.freeze({
  nginx: {
    command: 'nginx',
    argumentsFor: (file, folder) => ['-c', file, '-p', folder, '-e', 'stderr'],
    listener: 'listen 80;',
    listenerAt: (port) => `listen 127.0.0.1:${String(port)};`,
    whole: (block, folder) => {
      const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (name) => `${name}_temp_path ${folder}/${name};`,
      );
      return [
        `daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr; events {}`,
        `http { access_log off; ${folders.join(' ')}`,
        block,
        '}',
      ].join('\n');
    },
  },
  haproxy: {
    command: 'haproxy',
    argumentsFor: (file) => ['-db', '-f', file],
    listener: 'bind :80',
    listenerAt: (port) => `bind 127.0.0.1:${String(port)}`,
    whole: (block) => `global\n  maxconn 100\n${block}`,
  },
}) satisfies Readonly<Record<string, ProxyKind>>;

/** The name of a proxy, and the language of its block in the page. */
export type ProxyName = keyof typeof proxyKinds;

const page = readFileSync(join(import.meta.dirname, '../../docs/operating/behind-a-proxy.md'), 'utf8');

/** Proxies cannot choose a free port by themselves. These are no ports that the system gives to others. */
const ports = { first: 20_000, count: 10_000, attempts: 5 };

/** Starts a proxy with the configuration of our page, with these changes. It ends with the test. @returns its port */
export async function startProxy(name: ProxyName, changes: Changes): Promise<number> {
  const block = changed(blockIn(page, name), changes);
  for (let attempt = 1; ; attempt++) {
    const port = ports.first + Math.floor(Math.random() * ports.count);
    if (await accepts(port)) continue; // another program has it
    const problem = await tryPort(proxyKinds[name], block, port);
    if (problem === null) return port;
    if (attempt === ports.attempts) throw new Error(problem);
  }
}

/** The block of this language. @throws Error if there is not exactly one */
function blockIn(text: string, language: string): string {
  const [first, ...others] = [...text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))];
  if (first?.[1] === undefined || others.length > 0) throw new Error(`wanted one block of ${language} in the page`);
  return first[1];
}

/** @throws Error if the text does not contain what is to be replaced */
function changed(text: string, changes: Changes): string {
  return Object.entries(changes).reduce((former, [from, to]) => {
    if (!former.includes(from)) throw new Error(`the configuration does not contain "${from}"`);
    return former.replaceAll(from, to);
  }, text);
}

/** @returns `null` once it accepts connections, or why it ended */
async function tryPort(kind: ProxyKind, block: string, port: number): Promise<string | null> {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-proxy-'));
  chmodSync(folder, 0o755); // for the workers of nginx, which are another user
  const file = join(folder, 'proxy.conf');
  writeFileSync(file, kind.whole(changed(block, { [kind.listener]: kind.listenerAt(port) }), folder));
  const child = spawn(kind.command, kind.argumentsFor(file, folder), { stdio: ['ignore', 'pipe', 'pipe'] });
  const log: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => log.push(chunk));
  const exited = once(child, 'exit');
  afterThisTest(async () => {
    child.kill('SIGTERM');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });
  while (child.exitCode === null) {
    if (await accepts(port)) return null;
    await sleep(20);
  }
  return `${kind.command} ended:\n${Buffer.concat(log).toString()}`;
}

/** Whether something accepts connections at this port. */
async function accepts(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
