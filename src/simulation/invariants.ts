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
import type { JudgedWorld } from './judged-world.js';
import { closesHealthy, type Report, type Violation } from './promises.js';

/** Judges what a server does, by its events and by the truth about its peers. */
export class Invariants {
  /** The first promise that was broken. */
  violation: Violation | null = null;
  /** Connections closed although their peers answered and no rule asked for it. */
  healthyClosed = 0;
  readonly #world: JudgedWorld;
  readonly #report: Report;
  readonly #line: LineJudge;
  readonly #suspects: SuspectJudge;
  readonly #counting: CountJudge;
  readonly #releases: ReleaseJudge;
  readonly #reloads: ReloadJudge;
  readonly #aftermath: AftermathJudge;
  readonly #lingering: LingeringJudge;
  readonly #stopping: StopJudge;

  constructor(world: JudgedWorld) {
    const report: Report = (invariant, message) => {
      if (closesHealthy.has(invariant)) this.healthyClosed += 1;
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

  /** Checks every promise; called after each step of the world. */
  step(): void {
    this.#line.step();
    this.#suspects.step();
    this.#counting.step();
    this.#reloads.step();
    this.#aftermath.step();
    this.#lingering.step();
    this.#stopping.step(this.#line.size);
  }

  /** Checks that nothing is left; called when all clients have gone and the longest deadline has passed. */
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
