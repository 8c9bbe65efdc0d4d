import type { WebSocketManager } from '../core/managers/manager.js';
import { AftermathJudge } from './judges/aftermath.js';
import { CountJudge } from './judges/counting.js';
import { FailureJudge } from './judges/failures.js';
import { LineJudge } from './judges/line.js';
import { LingeringJudge } from './judges/lingering.js';
import { RefusalJudge } from './judges/refusals.js';
import { ReleaseJudge } from './judges/releases.js';
import { ReloadJudge } from './judges/reloads.js';
import { StopJudge } from './judges/stopping.js';
import { SuspectJudge } from './judges/suspects.js';
import type { HookRecord } from './hook-record.js';
import type { SimulatedSocket } from './socket.js';
import type { World } from './world.js';

/** What must hold after every step. @source design section 9 */
export const invariants = {
  'within the limit': 'No user holds more managers than the limit, or than when it was last lowered.',
  'within the total': 'No more managers than `maxTotalManagers`.',
  'index is true': 'The registry holds exactly what was admitted and not released.',
  'released once': 'Every manager is released exactly once, and nothing is that was not admitted.',
  'served in order':
    "A user's newcomers are served in the order in which they came; the place of a suspect or of an evicted connection passes over those that have not been heard of.",
  'one for one': 'No more suspects and evicted connections make room than newcomers that have been heard of get in.',
  'suspects give way': 'No newcomer that has been heard of waits beside a suspect.',
  'places come back': 'A newcomer that left has no place in the queue.',
  'no wrong refusal':
    'Nobody who answers is refused for quota while more of the managers counted are dead than newcomers stand ahead.',
  'takeover is free': 'Nobody whose thread has a manager waits for a slot, or is refused for quota.',
  'fights are settled': 'A thread changes hands no more often than the fight limit allows while both sides answer.',
  'engaged stays': 'No engaged connection is closed to make room.',
  'answering stays': 'No connection whose peer answers is released as dead.',
  'silence is patient':
    'Nothing is released for its silence before a ping of ours has been unanswered for as long as is configured.',
  'slow means slow': 'Nothing is released as slow whose data moved, or which we read, within the time configured.',
  'idle means idle': 'Nothing is released as idle that was active lately, or is held.',
  'error means error': 'Nothing is released for an error that had none.',
  'closed means closed': 'Nothing is released as closed whose own connection is open.',
  'a reload ends no run':
    'A held manager whose connection says goodbye or breaks waits for the next one, unless somebody needs its place.',
  'unattached means unattached': 'Nothing is released as unattached that ever had a socket.',
  'asked means asked': 'Nothing is released as requested that nobody asked for, nor for a stop that is none.',
  'closes for a reason': 'No connection is closed by the server while it is the current one of a manager.',
  'goodbye is said': 'Whoever is released or replaced is told at once, and gone within the close grace.',
  'hooks run': 'Every release hook runs exactly once, and is told when its time is up.',
  'idle goes': 'Nothing stays that neither side has used for the idle timeout and two background cycles.',
  'silent goes': 'Nothing stays whose peer has been unreachable for longer than the heartbeats need to notice.',
  'told in full': 'Cleanups tell as many idle and evicted as were released.',
  'told afterwards': 'What an event tells of has happened when it is told.',
  'levels are patient': "A user's level acts at most once in the cool-down.",
  'nothing fails': 'No cleanup, listener, limit or ledger fails of itself.',
  'claims come back': 'Once all is quiet a quota ledger that is well has no slot in use.',
  'no orphans': 'Once every peer is gone and the longest deadline has passed, nothing is left.',
  'stop is final': 'From a stop on nobody is admitted, whoever waits is told, and then there is silence.',
  'nothing after stop': 'After stop() there is no manager, no timer, no open socket and nobody who waits.',
  'no exception': 'Nothing is thrown out of the core, and no promise of its own is rejected unheard.',
} as const satisfies Record<string, string>;

/** The name of a promise. */
export type InvariantName = keyof typeof invariants;

/** Says that a promise is broken. */
export type Report = (invariant: InvariantName, message: string) => void;

/** A promise that was broken. */
export interface Violation {
  readonly atMs: number;
  /** Which one. */
  readonly invariant: InvariantName;
  readonly message: string;
}

/** Promises that are broken by closing a connection whose peer is there. */
const closeHealthy: ReadonlySet<InvariantName> = new Set<InvariantName>([
  'engaged stays',
  'answering stays',
  'silence is patient',
  'slow means slow',
  'idle means idle',
  'error means error',
  'closed means closed',
  'unattached means unattached',
  'asked means asked',
  'closes for a reason',
]);

/** Judges of what a server does, fed by its events, and by the truth about its peers. */
export class Invariants {
  /** The first promise that was broken. */
  violation: Violation | null = null;
  /** Connections closed although their peers answered, and nothing on the ladder asked for it. */
  healthyClosed = 0;
  readonly #world: World;
  readonly #report: Report;
  readonly #line: LineJudge;
  readonly #suspects: SuspectJudge;
  readonly #counting: CountJudge;
  readonly #releases: ReleaseJudge;
  readonly #reloads: ReloadJudge;
  readonly #aftermath: AftermathJudge;
  readonly #lingering: LingeringJudge;
  readonly #stopping: StopJudge;

  constructor(world: World) {
    const report: Report = (invariant, message) => {
      if (closeHealthy.has(invariant)) this.healthyClosed += 1;
      this.violation ??= { atMs: world.time.now(), invariant, message };
    };
    this.#world = world;
    this.#report = report;
    this.#line = new LineJudge(world, report);
    this.#suspects = new SuspectJudge(world, report, this.#line);
    this.#counting = new CountJudge(world, report, this.#line);
    new RefusalJudge(world, report).listen();
    this.#releases = new ReleaseJudge(world, report);
    this.#reloads = new ReloadJudge(world, report);
    this.#aftermath = new AftermathJudge(world, report);
    this.#lingering = new LingeringJudge(world, report);
    this.#stopping = new StopJudge(world, report, () => this.#aftermath.openSockets);
    new FailureJudge(world, report).listen();
  }

  /** What a user holds now may stay, above the new limit. */
  limitLowered(userId: string): void {
    this.#counting.limitLowered(userId);
  }

  /** A newcomer left, and no other one of its thread waits. */
  newcomerLeft(userId: string, key: string): void {
    this.#counting.newcomerLeft(userId, key);
  }

  /** The server ends a connection. */
  closes(socket: SimulatedSocket): void {
    this.#releases.closes(socket);
  }

  /** The application registered a hook. */
  hookRegistered(manager: WebSocketManager, hook: HookRecord): void {
    this.#aftermath.hookRegistered(manager, hook);
  }

  /** After whatever happened. */
  step(): void {
    this.#line.step();
    this.#suspects.step();
    this.#counting.step();
    this.#reloads.step();
    this.#aftermath.step();
    this.#lingering.step();
    this.#stopping.step(this.#line.size);
  }

  /** When everybody has gone and the longest deadline has passed. */
  checkQuiet(): void {
    this.#counting.checkQuiet();
    this.#releases.checkQuiet();
    const claims = this.#world.ledger?.size ?? 0;
    if (claims > 0) this.#report('claims come back', `${claims} slots are in use, says the ledger`);
  }

  checkStopped(hasStopped: boolean): void {
    this.#stopping.checkStopped(hasStopped, this.#line.size);
  }
}
