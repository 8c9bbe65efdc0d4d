import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { AdminClient } from './admin-client.js';
import { addAskFlags, clientOf, stdoutPaint, type AskFlags } from './asking.js';
import { CommandError, exitCodes } from './command-error.js';
import { inert, inertJson } from './inert.js';
import type { Paint } from './paint.js';
import { sentenceOf, type Said } from './sentences.js';
import { readServerSent, type ServerSent } from './server-sent.js';
import { clockOf } from './spans.js';
import { onStopSignals } from './stop-signals.js';

interface EventsFlags extends AskFlags {
  readonly types?: string;
  readonly user?: string;
}

const examples = `
Examples:
  mooring events
  mooring events --types manager.released,admission.refused --user alice
  mooring events --json | jq -c 'select(.type == "level.changed")'

With --json each line is an event. Goes on where it was cut off; ends with Ctrl-C.`;

/** The pause before coming back, growing from the first to the second. */
const [firstPauseMs, longestPauseMs] = [500, 10_000];

/** The server says something every 15 s; who is silent for so long is gone. */
const patienceMs = 45_000;

/** `mooring events` */
export function addEvents(program: Command): void {
  const command = program
    .command('events')
    .description('follow what happens')
    .option('--types <names>', 'only these, separated by commas')
    .option('--user <user>', 'only what is about this user');
  addAskFlags(command).addHelpText('after', examples).action(run);
}

async function run(flags: EventsFlags): Promise<void> {
  const end = new AbortController();
  const forget = onStopSignals(
    () => {
      end.abort();
    },
    (code) => process.exit(code),
  );
  const { types, user } = flags;
  const query = new URLSearchParams({ ...(types !== undefined && { types }), ...(user !== undefined && { user }) });
  const follower = new Follower(clientOf(flags), query, end.signal);
  const paint = stdoutPaint();
  try {
    await follower.follow((event) => print(flags.json === true ? jsonLine(event) : eventLine(event, paint)));
  } finally {
    forget();
  }
}

/** One event as a line. */
export function eventLine(event: Said, paint: Paint): string {
  const { type, atMs, userId } = event;
  const user = typeof userId === 'string' ? `${inert(userId)} ` : '';
  return `${clockOf(new Date(Number(atMs)))}  ${paint('cyan', inert(type).padEnd(20))}  ${user}${sentenceOf(event)}\n`;
}

function jsonLine(event: Said): string {
  return `${inertJson(JSON.stringify(event))}\n`;
}

/** Waits where whoever reads stdout is slow. */
async function print(line: string): Promise<void> {
  if (!process.stdout.write(line)) await once(process.stdout, 'drain');
}

/** Follows the event stream, and comes back to it where it was cut off. */
class Follower {
  readonly #client: AdminClient;
  readonly #query: URLSearchParams;
  readonly #end: AbortSignal;
  #lastId: string | null = null;
  #pauseMs = firstPauseMs;

  constructor(client: AdminClient, query: URLSearchParams, end: AbortSignal) {
    this.#client = client;
    this.#query = query;
    this.#end = end;
  }

  /** Until the signal says so. @throws CommandError where it was never there, or is refused */
  async follow(take: (event: Said) => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await this.#watch(take);
      } catch (error) {
        if (this.#hasToEnd(error)) throw error;
      }
      if (this.#end.aborted) return;
      await this.#pause();
    }
  }

  /** What was reached once may come back; what is refused stays refused. */
  #hasToEnd(error: unknown): boolean {
    if (this.#end.aborted || !(error instanceof CommandError)) return false;
    return this.#lastId === null || error.exitCode !== exitCodes.unreachable;
  }

  async #watch(take: (event: Said) => Promise<void>): Promise<void> {
    const silence = new AbortController();
    const timer = setTimeout(() => {
      silence.abort();
    }, patienceMs);
    try {
      const signal = AbortSignal.any([this.#end, silence.signal]);
      const { body } = await this.#client.events(this.#query, this.#lastId, signal);
      if (body !== null) for await (const sent of readServerSent(heard(body, timer))) await this.#take(sent, take);
    } finally {
      clearTimeout(timer);
    }
  }

  async #take({ id, event, data }: ServerSent, take: (event: Said) => Promise<void>): Promise<void> {
    this.#pauseMs = firstPauseMs;
    const content = JSON.parse(data) as Readonly<Record<string, unknown>>;
    if (event === 'stream.hello') this.#lastId ??= String(content['id']);
    else if (event === 'stream.gap') note('what happened meanwhile is not known any longer');
    else if (event === 'stream.dropped')
      note(`${String(content['count'])} events were missed: this end reads too slowly`);
    else await take({ type: event, ...content });
    this.#lastId = id ?? this.#lastId;
  }

  async #pause(): Promise<void> {
    note(`lost ${this.#client.url}; trying again`);
    await sleep(this.#pauseMs, undefined, { signal: this.#end }).catch(() => undefined);
    this.#pauseMs = Math.min(longestPauseMs, 2 * this.#pauseMs);
  }
}

/** The stream, while whoever sends is heard of. */
async function* heard(body: AsyncIterable<Uint8Array>, timer: NodeJS.Timeout): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of body) {
    timer.refresh();
    yield chunk;
  }
}

function note(text: string): void {
  process.stderr.write(`mooring: ${inert(text)}\n`);
}
