import { expect } from 'vitest';
import type { Crowd } from './crowd.js';
import { runMooring } from './mooring-command.js';
import { startMooring, type MooringProcess } from './mooring-process.js';

/** A server, and a shell whose commands ask it. */
export async function world(args: readonly string[] = []) {
  const server = await startMooring(['--env', 'production', ...args]);
  const env = { MOORING_ADMIN_URL: await server.adminUrl() };
  return {
    ...{ server, env },
    run: (...command: string[]) => runMooring(command, env),
    json: async <T>(...command: string[]): Promise<T> =>
      JSON.parse((await runMooring([...command, '--json'], env)).out) as T,
  };
}

export const urlOf = ({ url }: MooringProcess, userId: string, threadId: string): string =>
  `${url}/?${new URLSearchParams({ user_id: userId, thread_id: threadId }).toString()}`;

/** Threads `thread_<from>` to `thread_<to>` of a user, all open. */
export function openThreads(
  crowd: Crowd,
  server: MooringProcess,
  userId: string,
  [from, to]: readonly [number, number],
) {
  const threads = Array.from({ length: to - from + 1 }, (_, i) => `thread_${from + i}`);
  return crowd.settleAll(threads.map((thread) => urlOf(server, userId, thread)));
}

/** However slow the machine is. */
export const patiently = { timeout: 30_000 };

/** The first cells of the rows of a table, below its header. */
export function firstCells(table: string, header: RegExp): string[] {
  const lines = table.trimEnd().split('\n');
  const start = lines.findIndex((line) => header.test(line));
  expect(start).toBeGreaterThanOrEqual(0);
  return lines.slice(start + 1).map((line) => line.trim().split(/ {2,}/)[0] ?? '');
}

/** The threads of the lines that say what suspects wait for. */
export function suspectsIn(text: string): string[] {
  const line =
    /^(thread_\d+) +suspect: has not answered for [\d.]+ m?s; gives its place to a newcomer, else the heartbeat ends it in at most [\d.]+ m?s$/gm;
  return [...text.matchAll(line)].map(([, thread = '']) => thread);
}
