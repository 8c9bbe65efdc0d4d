import type { Keepalives } from '../../core/liveness/keepalives.js';
import type { PacketData } from './engine.js';

/**
 * An application's own function that tells whether an event is a keepalive. Called with events of at most 1,024 characters,
 * incoming and outgoing; must return `true` or `false` at once.
 */
export type IsKeepaliveEvent = (event: string, args: readonly unknown[]) => boolean;

/** The longest packet that is parsed to find out whether it is a keepalive. */
const longestParsed = 1_024;

/** A packet of Socket.IO as text: its type, its namespace, its id, and its content. */
const packetParts = /^([0-6])(?:\d+-)?(?:\/[^,]*,)?\d*(.*)$/s;

/** Types of packets that are events (with binary parts: 5) and answers to events (6). The others manage namespaces. */
const eventTypes = '25';
const answerTypes = '36';

/** Tells packets of Socket.IO that are activity from those that are not. */
export class ActivityFilter {
  readonly #keepalives: Keepalives;
  readonly #isKeepalive: IsKeepaliveEvent | undefined;

  constructor(keepalives: Keepalives, isKeepalive: IsKeepaliveEvent | undefined) {
    this.#keepalives = keepalives;
    this.#isKeepalive = isKeepalive;
  }

  /**
   * Whether somebody did something: an event that is no keepalive, an answer with content, or a binary attachment. Answers
   * without content do not count, since the client library sends them without anybody looking. Never throws.
   */
  isActivity(packet: PacketData): boolean {
    if (typeof packet !== 'string') return true;
    const type = packet.charAt(0);
    const isEvent = eventTypes.includes(type);
    if (!isEvent && !answerTypes.includes(type)) return false;
    if (packet.length > longestParsed) return true;
    const [, , content = ''] = packetParts.exec(packet) ?? [];
    if (!isEvent) return content !== '[]';
    const [event, ...args] = arrayOf(content);
    return !(typeof event === 'string' && this.isKeepalive(event, args)) && !this.#keepalives.matches(packet);
  }

  /** Whether an event only keeps its connection open. Never throws. */
  isKeepalive(event: string, args: readonly unknown[]): boolean {
    if (this.#keepalives.matchesFields({ event, args: args.length === 1 ? args[0] : args })) return true;
    const own = this.#isKeepalive;
    return own !== undefined && this.#keepalives.ask(() => own(event, args));
  }
}

function arrayOf(json: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(json);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
