/** The bugs that `npm run plant` plants in `src/core`. */

/**
 * @typedef {object} Bug
 * @property {string} name
 * @property {import('./mutants.mjs').Edit[]} edits
 */

/** @type {Bug[]} */
export const bugs = [
  {
    name: 'a release is announced before the slot is free',
    edits: [
      {
        in: 'Lifecycle.release',
        find: 'if (!registry.remove($manager)) return false;',
        replace: `const { lastActivityAtMs: activeAtMs } = $manager;
          this.#announce($manager, { reason, closeCause, lastActivityAtMs: activeAtMs, options });
          if (!registry.remove($manager)) return false;`,
      },
      { in: 'Lifecycle.release', find: 'this.#announce($manager, $release);', replace: '' },
    ],
  },
  {
    name: 'the late close of a socket that was taken over ends its successor',
    edits: [{ in: 'Lifecycle.#ended', find: 'if (!$connection.isCurrent) return;', replace: '' }],
  },
  {
    name: 'a close that follows a release releases again',
    edits: [
      { in: 'Lifecycle.release', find: 'if ($manager.isReleased) return false;', replace: '' },
      {
        in: 'Lifecycle.release',
        find: 'if (!registry.remove($manager)) return false;',
        replace: 'registry.remove($manager);',
      },
      {
        in: 'ManagedConnection.isCurrent',
        find: 'this.manager.connection === this && !this.manager.isReleased',
        replace: 'this.manager.connection === this',
      },
    ],
  },
  {
    name: 'a caller that leaves the queue keeps its place',
    edits: [
      {
        in: 'AdmissionControl.#onLeft',
        find: 'if (!this.#remove($place)) return;',
        replace: 'if (this.#parts.queue.size > 0) return;',
      },
    ],
  },
  {
    name: 'the count is kept by `++` and `--`, and a slot without a socket never subtracts',
    edits: [
      {
        in: 'ManagerRegistry.remove',
        find: 'this.#size -= 1;',
        replace: 'if (manager.connection !== null) this.#size -= 1;',
      },
    ],
  },
  {
    name: 'a pong counts as activity',
    edits: [
      {
        in: 'ManagedConnection.ponged',
        find: 'this.lastPongAtMs = $now;',
        replace: 'this.lastPongAtMs = $now; this.lastInboundAtMs = $now;',
      },
    ],
  },
  {
    name: 'the floor of an eviction is ignored',
    edits: [{ in: 'engagementRuleOf', find: 'return $rule;', replace: 'return { ...$rule, floorMs: 0 };' }],
  },
  {
    name: 'the cool-down of a level is ignored',
    edits: [
      {
        in: 'WebSocketResourceMonitor.#act',
        find: '$now - $watched.actedAtMs < $cooldownMs',
        replace: '$now - $watched.actedAtMs < 0',
      },
    ],
  },
  {
    name: 'each pass of a cleanup forgets what the one before released',
    edits: [
      {
        in: 'EmergencyRun.#pass',
        find: 'this.#attempts += 1;',
        replace: 'this.#attempts += 1; this.tally = new Tally();',
      },
    ],
  },
  {
    name: 'suspicion is skipped: a connection that is silent to a probe goes at once',
    edits: [{ in: 'Probe.#judge', find: '$suspectAtMs > $now', replace: '$suspectAtMs > Infinity' }],
  },
  {
    name: 'one suspect too many makes room',
    edits: [
      {
        in: 'SuspectSlots.#give',
        find: 'const { queue, userCleanup } = $parts;',
        replace: `const { queue, userCleanup } = $parts;
          const [first] = connections;
          let left = first === undefined ? 0 : queue.readyOf(first.manager.userId);
          if (left === 0) return;`,
      },
      {
        in: 'SuspectSlots.#give',
        find: 'if (queue.readyOf($userId) === 0) return;',
        replace: 'if (left-- < 0) return;',
      },
    ],
  },
  {
    name: 'quiet is taken for silent: it counts from the last byte, also if no ping was sent since',
    edits: [
      {
        in: 'Probe.#judge',
        find: '(unansweredSinceMs($connection) ?? $startedAtMs) + $silenceMs',
        replace: '$connection.lastByteAtMs + $silenceMs',
      },
    ],
  },
  {
    name: 'a ping of ours clears a suspect',
    edits: [
      {
        in: 'Heartbeat.#ping',
        find: 'if (!$connection.isCurrent) return;',
        replace: 'if (!$connection.isCurrent) return; this.#parts.suspicion.remove($connection);',
      },
    ],
  },
  {
    name: 'a reload ends a run: a held manager goes with its connection',
    edits: [
      {
        in: 'Lifecycle.#willBeAway',
        find: '$away.isFor($manager)',
        replace: '($away.isFor($manager) && !$manager.isHeld)',
      },
    ],
  },
  {
    name: 'the next connection of a reloading page is not waited for as long as is configured',
    edits: [{ in: 'AwayManagers.constructor', find: '$options.resumeGraceMs', replace: '$options.resumeGraceMs / 2' }],
  },
  {
    name: 'one missed heartbeat is death',
    edits: [
      {
        in: 'Heartbeat.#visit',
        find: '$connection.misses >= $options.maxHeartbeatMisses',
        replace: '$connection.misses >= 1',
      },
    ],
  },
  {
    name: 'stalled time is charged',
    edits: [{ in: 'StallClock.#account', find: 'this.#stalledMs += $late;', replace: '' }],
  },
  {
    name: 'a takeover needs a slot of its own',
    edits: [
      {
        in: 'AdmissionControl.#decide',
        find: 'if ($existing !== undefined) return this.#announcing($context, takeover.decide($existing, $newcomer));',
        replace: `if ($existing !== undefined && registry.countOf(userId) < limits.of(userId)) {
          return this.#announcing($context, takeover.decide($existing, $newcomer));
        }`,
      },
    ],
  },
  {
    name: 'a caller that leaves the queue is told so, and keeps its place',
    edits: [{ in: 'AdmissionControl.#onLeft', find: 'if (!this.#remove($place)) return;', replace: '' }],
  },
];
