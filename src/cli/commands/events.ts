import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { EventSourceMessage } from 'eventsource-parser';
import type { AdminClient } from './admin-client.js';
import { addAskFlags, clientOf, stdoutPaint, type AskFlags } from './asking.js';
import { CommandError, exitCodes } from '../command-error.js';
import type { Told } from '../../presentation/fields.js';
import { timeOf } from '../../presentation/figures.js';
import { inert, inertJson } from '../../presentation/inert.js';
import { sentenceOf } from '../../presentation/sentences.js';
import type { Paint } from '../terminal/paint.js';
import { Patience, readMs } from './patience.js';
import { onStopSignals } from '../terminal/stop-signals.js';

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

const gapNote = 'what happened meanwhile is not known any longer';

/** The server says something every 15 s; who is silent for so long is gone. */
const patienceMs = 45_000;

/** How long whoever reads has for the rest of the last lines, once it is to end. */
const lastLinesMs = 1_000;

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
  const follower = new Follower(await clientOf(flags), query, end.signal);
  const paint = stdoutPaint();
  const print = async (event: Told): Promise<void> => {
    const line = flags.json === true ? jsonLine(event) : eventLine(event, paint);
    // Whoever reads slowly is waited for, until the end.
    if (!process.stdout.write(line)) await once(process.stdout, 'drain', { signal: end.signal });
  };
  try {
    await follower.follow(print);
  } finally {
    forget();
  }
  endSoon();
}

/** Ends as soon as what was written is read. A pipe nobody reads would keep the process alive for ever. */
function endSoon(): void {
  setTimeout(() => process.exit(exitCodes.ok), lastLinesMs).unref();
}

/** One event as a line. */
export function eventLine(event: Told, paint: Paint): string {
  const { type, atMs, userId } = event;
  const user = typeof userId === 'string' ? `${inert(userId)} ` : '';
  return `${timeOf(new Date(Number(atMs)))}  ${paint('cyan', inert(type).padEnd(20))}  ${user}${sentenceOf(event).text}\n`;
}

function jsonLine(event: Told): string {
  return `${inertJson(JSON.stringify(event))}\n`;
}

/** Follows the event stream, and comes back to it where it was cut off. */
class Follower {
  readonly #client: AdminClient;
  readonly #query: URLSearchParams;
  readonly #end: AbortSignal;
  /** What was seen last, and where the stream stood when it was last opened. */
  #lastId: string | null = null;
  #helloId: string | null = null;
  #pauseMs = firstPauseMs;
  #wasReached = false;
  #isLost = false;

  constructor(client: AdminClient, query: URLSearchParams, end: AbortSignal) {
    this.#client = client;
    this.#query = query;
    this.#end = end;
  }

  /** Until the signal says so. @throws CommandError where it was never there, or is refused */
  async follow(take: (event: Told) => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await this.#watch(take);
      } catch (error) {
        if (!this.#end.aborted && !this.#mayPass(error)) throw error;
      }
      if (this.#end.aborted) return;
      await this.#pause();
    }
  }

  /** What was reached once may come back; what is refused stays refused. */
  #mayPass(error: unknown): boolean {
    return this.#wasReached && error instanceof CommandError && error.exitCode === exitCodes.unreachable;
  }

  async #watch(take: (event: Told) => Promise<void>): Promise<void> {
    const watch = new AbortController();
    const leave = (): void => {
      watch.abort();
    };
    const patience = new Patience(watch);
    this.#end.addEventListener('abort', leave, { once: true });
    try {
      patience.begin(readMs);
      const { body } = await this.#client.events(this.#query, this.#lastId, watch.signal);
      this.#reached();
      if (body === null) return;
      const { readServerSent } = await import('./server-sent.js');
      for await (const sent of readServerSent(heard(body, patience))) await this.#take(sent, take);
    } finally {
      patience.end();
      this.#end.removeEventListener('abort', leave);
    }
  }

  #reached(): void {
    if (this.#isLost) note(`${this.#client.url} is back`);
    if (this.#isLost && this.#lastId === null) note(gapNote);
    this.#isLost = false;
    this.#wasReached = true;
  }

  async #take(
    { id, event = 'message', data }: EventSourceMessage,
    take: (event: Told) => Promise<void>,
  ): Promise<void> {
    this.#pauseMs = firstPauseMs;
    // Between events that are wanted the server says its position now and then: nothing was missed up to there.
    if (event !== 'stream.position')
      await this.#tell(event, JSON.parse(data) as Readonly<Record<string, unknown>>, take);
    this.#lastId = id ?? this.#lastId ?? this.#helloId;
  }

  async #tell(
    event: string,
    content: Readonly<Record<string, unknown>>,
    take: (event: Told) => Promise<void>,
  ): Promise<void> {
    if (event === 'stream.hello') this.#helloId = String(content['id']);
    else if (event === 'stream.gap') {
      note(gapNote);
      this.#lastId = this.#helloId;
    } else if (event === 'stream.dropped')
      note(`${String(content['count'])} events were missed: this end reads too slowly`);
    else await take({ type: event, ...content });
  }

  async #pause(): Promise<void> {
    if (!this.#isLost) note(`lost ${this.#client.url}; trying again until it is back`);
    this.#isLost = true;
    await sleep(this.#pauseMs, undefined, { signal: this.#end }).catch(() => undefined);
    this.#pauseMs = Math.min(longestPauseMs, 2 * this.#pauseMs);
  }
}

/**
 * The stream, while whoever sends is heard of; one that breaks off has ended. How long whoever reads takes for what came
 * says nothing of the sender.
 */
async function* heard(body: AsyncIterable<Uint8Array>, patience: Patience): AsyncGenerator<Uint8Array, void> {
  try {
    patience.begin(patienceMs);
    for await (const chunk of body) {
      patience.end();
      yield chunk;
      patience.begin(patienceMs);
    }
  } catch {
    // Whoever follows comes back to it.
  }
}

function note(text: string): void {
  process.stderr.write(`mooring: ${inert(text)}\n`);
}
