import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { EventSourceMessage } from 'eventsource-parser';
import type { Told } from '../../presentation/fields.js';
import { timeOf } from '../../presentation/figures.js';
import { inert, inertJson } from '../../presentation/inert.js';
import { sentenceOf } from '../../presentation/sentences.js';
import { CommandError, exitCodes } from '../command-error.js';
import { stdoutPaint, type Paint } from '../terminal/paint.js';
import { onStopSignals } from '../terminal/stop-signals.js';
import type { AdminClient } from './admin-client.js';
import { RequestTimeout } from './request-timeout.js';
import { asksServer, type ServerFlags } from './server-command.js';

interface EventsFlags extends ServerFlags {
  readonly types?: string;
  readonly user?: string;
}

const examples = `
Examples:
  mooring events
  mooring events --types manager.released,admission.refused --user alice
  mooring events --json | jq -c 'select(.type == "level.changed")'

With --json each line is an event. Reconnects and goes on where the stream was cut off; ends with Ctrl-C.`;

/** Pauses between attempts to reconnect double from the first to the longest. */
const firstPauseMs = 500;
const longestPauseMs = 10_000;

/** How long the server may take to open the stream. */
const openTimeoutMs = 15_000;

/** The server sends something every 15 s; after so much silence it is gone. */
const silenceTimeoutMs = 45_000;

/** How long the reader of stdout has for the last lines at the end. */
const lastLinesMs = 1_000;

const gapNote = 'what happened meanwhile is not known any longer';

/** `mooring events` */
export function addEvents(program: Command): void {
  const command = program
    .command('events')
    .description('follow the events of the server')
    .option('--types <names>', 'only events of these types, separated by commas')
    .option('--user <user>', 'only events about this user');
  asksServer<EventsFlags>(command, examples, ({ flags, client }) => run(flags, client));
}

async function run({ types, user, json }: EventsFlags, client: AdminClient): Promise<void> {
  const end = new AbortController();
  const removeListeners = onStopSignals(() => end.abort());
  const query = new URLSearchParams({ ...(types !== undefined && { types }), ...(user !== undefined && { user }) });
  const paint = stdoutPaint();
  const print = async (event: Told): Promise<void> => {
    const line = json === true ? `${inertJson(JSON.stringify(event))}\n` : eventLine(event, paint);
    // A slow reader is waited for until the end.
    if (!process.stdout.write(line)) await once(process.stdout, 'drain', { signal: end.signal });
  };
  try {
    await new Follower({ client, query, print, end: end.signal }).follow();
  } finally {
    removeListeners();
  }
  // A pipe that nobody reads would keep the process alive for ever.
  setTimeout(() => process.exit(exitCodes.ok), lastLinesMs).unref();
}

/** One event as a line. */
export function eventLine(event: Told, paint: Paint): string {
  const { type, atMs, userId } = event;
  const user = typeof userId === 'string' ? `${inert(userId)} ` : '';
  return `${timeOf(new Date(Number(atMs)))}  ${paint('cyan', inert(type).padEnd(20))}  ${user}${sentenceOf(event).text}\n`;
}

interface FollowerOptions {
  readonly client: AdminClient;
  readonly query: URLSearchParams;
  readonly print: (event: Told) => Promise<void>;
  /** Ends everything. */
  readonly end: AbortSignal;
}

/** Follows the event stream, and reconnects to it. */
class Follower {
  readonly #options: FollowerOptions;
  /** The last event that was seen. */
  #lastId: string | null = null;
  /** The position of the stream when it was last opened. */
  #helloId: string | null = null;
  #pauseMs = firstPauseMs;
  #wasReached = false;
  #isLost = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** Resolves when it is ended. @throws CommandError if the server was never reached, or refuses */
  async follow(): Promise<void> {
    const { end } = this.#options;
    for (;;) {
      try {
        await this.#connect();
      } catch (error) {
        if (!end.aborted && !this.#mayRecover(error)) throw error;
      }
      if (end.aborted) return;
      await this.#pause();
    }
  }

  /** A server that was reached once may come back; a refusal is final. */
  #mayRecover(error: unknown): boolean {
    return this.#wasReached && error instanceof CommandError && error.exitCode === exitCodes.unreachable;
  }

  async #connect(): Promise<void> {
    const { client, query, end } = this.#options;
    const timeout = new RequestTimeout();
    const abort = (): void => timeout.abort();
    end.addEventListener('abort', abort, { once: true });
    try {
      timeout.start(openTimeoutMs);
      const { body } = await client.events(query, this.#lastId, timeout.signal);
      this.#noteReached();
      if (body === null) return;
      const { readServerSent } = await import('./server-sent.js');
      for await (const message of readServerSent(untilSilent(body, timeout))) await this.#handle(message);
    } finally {
      timeout.stop();
      end.removeEventListener('abort', abort);
    }
  }

  #noteReached(): void {
    if (this.#isLost) note(`${this.#options.client.url} is back`);
    if (this.#isLost && this.#lastId === null) note(gapNote);
    this.#isLost = false;
    this.#wasReached = true;
  }

  async #handle({ id, event = 'message', data }: EventSourceMessage): Promise<void> {
    const content = JSON.parse(data) as Readonly<Record<string, unknown>>;
    this.#pauseMs = firstPauseMs;
    if (event === 'stream.hello') this.#helloId = String(content['id']);
    else if (event === 'stream.gap') {
      note(gapNote);
      this.#lastId = this.#helloId;
    } else if (event === 'stream.dropped')
      note(`${String(content['count'])} events were missed: this end reads too slowly`);
    // `stream.position` carries an id only: no event that is wanted was missed before it.
    else if (event !== 'stream.position') await this.#options.print({ type: event, ...content });
    this.#lastId = id ?? this.#lastId ?? this.#helloId;
  }

  async #pause(): Promise<void> {
    if (!this.#isLost) note(`lost ${this.#options.client.url}; trying again until it is back`);
    this.#isLost = true;
    await sleep(this.#pauseMs, undefined, { signal: this.#options.end }).catch(() => undefined);
    this.#pauseMs = Math.min(longestPauseMs, 2 * this.#pauseMs);
  }
}

/**
 * The stream until it ends, breaks off or is silent for too long. The time that the caller takes for a chunk does not
 * count as silence.
 */
async function* untilSilent(
  body: AsyncIterable<Uint8Array>,
  timeout: RequestTimeout,
): AsyncGenerator<Uint8Array, void> {
  try {
    timeout.start(silenceTimeoutMs);
    for await (const chunk of body) {
      timeout.stop();
      yield chunk;
      timeout.start(silenceTimeoutMs);
    }
  } catch {
    // The follower reconnects.
  }
}

function note(text: string): void {
  process.stderr.write(`mooring: ${inert(text)}\n`);
}
