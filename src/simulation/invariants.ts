import { ClosingJudge } from './judges/closing.js';
import { CountJudge } from './judges/counting.js';
import { FailureJudge } from './judges/failures.js';
import type { JudgedWorld } from './judges/judge.js';
import { OverdueJudge } from './judges/overdue.js';
import { QueueJudge } from './judges/queue.js';
import { RefusalJudge } from './judges/refusals.js';
import { ReleaseJudge } from './judges/releases.js';
import { ReloadJudge } from './judges/reloads.js';
import { StopJudge } from './judges/stopping.js';
import { SuspectJudge } from './judges/suspects.js';
import { closesHealthy, type Report, type Violation } from './promises.js';

/** The judges of a world: they compare what the server does with its events and with the truth about the clients. */
export class Invariants {
  /** The first promise that was broken. */
  violation: Violation | null = null;
  /** Connections closed although their peers answered and no rule asked for it. */
  healthyClosed = 0;
  readonly counting: CountJudge;
  readonly releases: ReleaseJudge;
  readonly closing: ClosingJudge;
  readonly #world: JudgedWorld;
  readonly #report: Report;
  readonly #queue: QueueJudge;
  readonly #suspects: SuspectJudge;
  readonly #reloads: ReloadJudge;
  readonly #overdue: OverdueJudge;
  readonly #stopping: StopJudge;

  constructor(world: JudgedWorld) {
    const report: Report = (invariant, message) => {
      if (closesHealthy.has(invariant)) this.healthyClosed += 1;
      this.violation ??= { atMs: world.time.now(), invariant, message };
    };
    this.#world = world;
    this.#report = report;
    this.#queue = new QueueJudge(world, report);
    this.#suspects = new SuspectJudge(world, report, this.#queue);
    this.counting = new CountJudge(world, report, this.#queue);
    new RefusalJudge(world, report).listen();
    this.releases = new ReleaseJudge(world, report);
    this.#reloads = new ReloadJudge(world, report);
    this.closing = new ClosingJudge(world, report);
    this.#overdue = new OverdueJudge(world, report);
    this.#stopping = new StopJudge(world, report, this.closing);
    new FailureJudge(world, report).listen();
  }

  /** Checks every promise; called after each step of the world. */
  step(): void {
    this.#queue.step();
    this.#suspects.step();
    this.counting.step();
    this.#reloads.step();
    this.closing.step();
    this.#overdue.step();
    this.#stopping.step(this.#queue.size);
  }

  /** Checks that nothing is left; called when all clients have gone and the longest deadline has passed. */
  checkQuiet(): void {
    this.counting.checkQuiet();
    this.releases.checkQuiet();
    const claims = this.#world.ledger?.size ?? 0;
    if (claims > 0) this.#report('claims come back', `${claims} slots are in use, says the ledger`);
  }

  checkStopped(hasStopped: boolean): void {
    this.#stopping.checkStopped(hasStopped, this.#queue.size);
  }
}
