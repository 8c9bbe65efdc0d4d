/** The bugs that `npm run proof -- schedules` plants: in the ledger, or in the model of the scripts. */

/** The folders that have the places of the bugs: the ledger, and the model of Redis. */
export const quotaFolders = ['src/redis', 'test/support/redis-model'];

/**
 * @typedef {import('./planted-bugs.mjs').Bug & { whyNotFound?: string }} QuotaBug
 *   `whyNotFound`: it makes no difference that a schedule could show, and why
 */

/** @type {QuotaBug[]} */
export const quotaBugs = [
  {
    name: 'an epoch that is not alive may do everything',
    edits: [
      {
        in: 'runScript',
        find: "if (!isOpenToAll[call.name] && !partition.isAlive(ownEpoch)) return ['unknown'];",
        replace: '',
      },
    ],
  },
  {
    name: 'silence is judged by the clock of Redis',
    edits: [{ in: 'clockAt', find: 'Math.min(Math.max(nowMs - lastMs, 0), 2 * beatMs)', replace: '(nowMs - lastMs)' }],
  },
  {
    name: 'what is held is asserted by acquire, with the limit',
    edits: [
      {
        in: 'Rotation.#send',
        find: 'const reply = await calls.assert(batch, rotation, cursor.id);',
        replace: `const reply = { kind: 'ok', lost: [] };
          for (const [index, claim] of batch.entries()) {
            const { kind } = await calls.acquire(claim, rotation);
            if (kind !== 'granted' && kind !== 'takes') reply.lost.push(index);
          }`,
      },
    ],
  },
  {
    name: 'an older claim takes the place of a newer one',
    edits: [{ in: 'placed', find: 'if (isOlderClaim(claim, holder)) return { next: null, moved: [] };', replace: '' }],
  },
  {
    name: 'claims without an answer are asserted too',
    edits: [
      {
        in: 'canBeAsserted',
        find: '!isReleased && isDecided && !isDoubted && !isBusy',
        replace: '!isReleased && !isDoubted',
      },
    ],
  },
  {
    name: 'the old epoch ends before the claims are asserted',
    edits: [
      { in: 'Rotation.#rotate', find: 'await this.#assertAll();', replace: 'await this.#leaveOld();' },
      {
        in: 'Rotation.#rotate',
        find: 'await this.#leaveOld();',
        replace: 'await new Promise((resolve) => this.#options.clock.setTimer(resolve, 50)); await this.#assertAll();',
      },
    ],
  },
  {
    name: 'the old epoch ends while claims under it have no answer',
    edits: [
      {
        in: 'Rotation.#assertAll',
        find: 'if (left.length === 0) return;',
        replace: 'if (left.filter(canBeAsserted).length === 0) return;',
      },
    ],
  },
  {
    name: 'a release looks at the field only',
    edits: [
      {
        in: 'bodies.release',
        find: 'slot !== null && isSameClaim(claim, slot.holder)',
        replace: 'slot !== null',
      },
    ],
  },
  {
    name: 'a release loses the successor',
    edits: [{ in: 'bodies.release', find: 'slot.pending === null', replace: 'slot.holder !== null' }],
  },
  {
    name: 'a successor takes over before it is open',
    edits: [
      {
        in: 'Member.#decided',
        find: "claim.needsCommit = reply.kind === 'takes';",
        replace:
          "claim.needsCommit = reply.kind === 'takes'; if (claim.needsCommit) void claim.inOrder(() => this.#commit(claim));",
      },
    ],
  },
  {
    name: 'a commit goes beyond the limit',
    whyNotFound:
      'a claim that a commit does not find is asserted beyond the limit a beat later: the result is the same',
    edits: [{ in: 'bodies.commit', find: 'user.slots.size >= Number(limit)', replace: 'false' }],
  },
  {
    name: 'a claim that a commit does not find counts as lost',
    edits: [
      {
        in: 'Member.#commit',
        find: "reply.kind === 'lost'",
        replace: "reply.kind === 'lost' || reply.kind === 'absent'",
      },
    ],
  },
  {
    name: 'a hint in the log is obeyed unverified',
    edits: [
      {
        in: 'Member.#applyEntry',
        find: 'this.#claims.doubt(claim);',
        replace: 'this.#options.superseded(claim.of);',
      },
    ],
  },
  {
    name: 'a new epoch skips what the log has',
    edits: [{ in: 'Rotation.#register', find: 'this.#live.length === 0', replace: 'this.#live.length >= 0' }],
  },
  {
    name: 'an acquire that is sent again drops the successor',
    edits: [
      {
        in: 'replaceOwnHolder',
        find: 'partition.place(user, thread, false);',
        replace: 'partition.putSlot(user, field, { holder: claim, pending: null });',
      },
    ],
  },
  {
    name: 'an epoch is not kept alive while the next begins',
    edits: [
      {
        in: 'Member.#beat',
        find: 'calls.beat(this.#rotation.live, this.#cursor.id)',
        replace: 'calls.beat(this.#rotation.live.slice(-1), this.#cursor.id)',
      },
    ],
  },
  {
    name: 'another run of Redis is not noticed',
    edits: [
      {
        in: 'Member.#noteServer',
        find: 'if (this.#runId !== null && this.#runId !== runId) this.#rotation.want();',
        replace: '',
      },
    ],
  },
  {
    name: 'a log that lost entries is not noticed',
    edits: [
      {
        in: 'LogCursor.isLost',
        find: 'if (this.#seenId === start) return false;',
        replace: 'if (start) return false;',
      },
    ],
  },
  {
    name: 'a claim that Redis was not asked for is as old as its assertion',
    edits: [
      {
        in: 'Member.acquire',
        find: 'if (stamps.areKnown) this.#claims.stamp(claim, stamps.next());',
        replace: '',
      },
      {
        in: 'Rotation.#send',
        find: 'claims.stampLate(claim, stamps.at(claim.madeAtMs));',
        replace: 'claims.stamp(claim, stamps.next());',
      },
    ],
  },
  {
    name: 'doubts are not settled while Redis counts as down',
    edits: [
      {
        in: 'Member.#repair',
        find: 'for (const claim of this.#claims.doubted()) void claim.inOrder(() => this.#verify(claim));',
        replace: `if (this.health.state === 'down') return;
          for (const claim of this.#claims.doubted()) void claim.inOrder(() => this.#verify(claim));`,
      },
    ],
  },
  {
    name: 'a successor that was asserted is not committed',
    edits: [
      {
        in: 'Rotation.#send',
        find: 'claim.needsCommit = areOpen[index] !== true;',
        replace: 'if (claim.isOpen) claim.needsCommit = false;',
      },
    ],
  },
  {
    name: 'a call without an answer is forgotten',
    edits: [{ in: 'Member.#unanswered', find: 'this.#rotation.repairs.add(claim);', replace: '' }],
  },
  {
    name: 'a release does not wait for the acquire before it',
    edits: [
      {
        in: 'Member.release',
        find: 'await claim.inOrder(() => this.#release(claim));',
        replace: 'await this.#release(claim);',
      },
    ],
  },
  {
    name: 'a newer connection in the same process does not count',
    edits: [{ in: 'Member.#lost', find: 'claim.renewedMs > claim.stampMs', replace: 'claim.renewedMs < 0' }],
  },
  {
    name: 'a claim is asserted while it is open whether it moved',
    edits: [
      {
        in: 'canBeAsserted',
        find: '!isReleased && isDecided && !isDoubted && !isBusy',
        replace: '!isReleased && isDecided && !isBusy',
      },
    ],
  },
  {
    name: 'stamps do not count the time in which the process stood still',
    edits: [
      {
        in: 'Stamps.nowMs',
        find: 'return this.#clock.now() + this.#clock.stalledMs;',
        replace: 'return this.#clock.now();',
      },
    ],
  },
  {
    name: 'a process that stops does not end its epochs',
    edits: [{ in: 'Member.stop', find: "this.health.state === 'down'", replace: "this.health.state !== 'suspended'" }],
  },
  {
    name: 'newcomers wait for a Redis that is down',
    edits: [
      { in: 'Member.acquire', find: "if (this.health.state === 'down') return leaveToLocalLimit(claim);", replace: '' },
    ],
  },
  {
    name: 'two good beats are enough to be up again',
    edits: [
      {
        in: 'Health.beatAnswered',
        find: "if (this.#state === 'suspended') this.#become('up', null);",
        replace: "if (this.#state === 'suspended' || this.isBack) this.#become('up', null);",
      },
    ],
  },
  {
    name: 'a rotation whose beginning has no answer is forgotten',
    edits: [{ in: 'Rotation.#begin', find: 'this.#isWanted = true;', replace: '' }],
  },
  {
    name: 'what is given back while it is asserted is forgotten',
    edits: [
      {
        in: 'Member.#release',
        find: 'if (this.#rotation.isUnderWay) this.#rotation.repairs.add(claim);',
        replace: '',
      },
    ],
  },
  {
    name: 'an assertion brings back what has moved',
    edits: [{ in: 'putBack', find: 'if (isMoved) return false;', replace: '' }],
  },
];
