import type { MooringEvent } from '../../core/events.js';
import type { Report } from '../promises.js';
import type { ClosingJudge } from './closing.js';
import { Judge, type JudgedWorld } from './judge.js';

/** Judges stops, whatever goes on when they come. */
export class StopJudge extends Judge {
  readonly #closing: ClosingJudge;
  #state: 'running' | 'draining' | 'stopped' = 'running';
  #hasToLook = false;

  constructor(world: JudgedWorld, report: Report, closing: ClosingJudge) {
    super(world, report);
    this.#closing = closing;
    world.mooring.events.onAny((event) => {
      if (this.#state !== 'running') this.#onEvent(event);
      if (event.type === 'server.draining') this.#enter('draining');
      if (event.type === 'server.stopped') this.#enter('stopped');
    });
  }

  step(waitingUsers: number): void {
    if (!this.#hasToLook) return;
    this.#hasToLook = false;
    if (waitingUsers > 0) this.report('stop is final', `${waitingUsers} users have newcomers waiting`);
    if (this.#state === 'stopped') this.#checkNothingLeft();
  }

  checkStopped(hasStopped: boolean, waitingUsers: number): void {
    if (!hasStopped) this.report('nothing after stop', 'stop() has not ended');
    if (waitingUsers > 0) this.report('nothing after stop', `${waitingUsers} users have newcomers waiting`);
    this.#checkNothingLeft();
  }

  #enter(state: 'draining' | 'stopped'): void {
    this.#state = state;
    this.#hasToLook = true;
  }

  #onEvent(event: MooringEvent): void {
    if (event.type === 'manager.admitted') this.report('stop is final', `${event.key} is admitted`);
    if (event.type === 'admission.queued') this.report('stop is final', `${event.key} is queued`);
    if (event.type === 'admission.refused' && !['drain', 'replaced', 'closed'].includes(event.closeCause))
      this.report('stop is final', `${event.key} is refused for ${event.closeCause}`);
    if (this.#state === 'stopped' && !isAllowedAfterStop(event))
      this.report('stop is final', `${event.type} after the end`);
  }

  #checkNothingLeft(): void {
    const { mooring, time } = this.world;
    const { managerCount } = mooring;
    if (managerCount > 0) this.report('nothing after stop', `${managerCount} managers are left`);
    if (time.pendingTimers > 0) this.report('nothing after stop', `${time.pendingTimers} timers are left`);
    const { openSockets } = this.#closing;
    if (openSockets > 0) this.report('nothing after stop', `${openSockets} sockets are open`);
  }
}

/** Answers to an application that still makes calls, and to a ledger that answers late. */
function isAllowedAfterStop(event: MooringEvent): boolean {
  if (event.type === 'cleanup.completed' || event.type === 'background.completed') return event.cleaned === 0;
  return ['admission.refused', 'hook.failed', 'ledger.failed', 'claim.lost'].includes(event.type);
}
