import { describe, expect, it } from 'vitest';
import { stepsPerSeed, stepsUntilFound, type PlantedBug } from '../support/quota-seeds.js';

/** The steps of conformance-long: what it would not find is no proof. */
const [first, last] = [1_001, 1_200];
/** 1: all bugs; 4: every fourth. */
const every = Number(process.env['MOORING_QUOTA_EVERY'] ?? '1');
const fence = "if not isAlive(ownEpoch) then return { 'unknown' } end\n";

const bugs: readonly PlantedBug[] = [
  { name: 'an epoch that is not alive acquires', in: 'acquire', find: fence, replace: '' },
  { name: 'an epoch that is not alive commits', in: 'commit', find: fence, replace: '' },
  { name: 'an epoch that is not alive releases', in: 'release', find: fence, replace: '' },
  { name: 'an epoch that is not alive exchanges', in: 'exchange', find: fence, replace: '' },
  { name: 'an epoch that is not alive asserts', in: 'assert', find: fence, replace: '' },
  {
    name: 'the clock is that of Redis, leaps included',
    in: 'all',
    find: 'math.min(math.max(now - last, 0), 2 * beatMs)',
    replace: '(now - last)',
  },
  { name: 'a lost clock begins at 0', in: 'all', find: 'tonumber(newest[2]) or 0', replace: '0' },
  {
    name: 'release looks at the field only',
    in: 'release',
    find: 'and sub(own, 11, 18) == sub(text, 11, 18)',
    replace: '',
  },
  {
    name: 'release loses the successor',
    in: 'release',
    find: '  keep(pending)',
    replace: "  call('HDEL', user.key, field)",
  },
  {
    name: 'an acquire that is sent again drops the successor',
    in: 'acquire',
    find: 'place(user, field, claim, false)\n    return granted()',
    replace: 'putSlot(user, field, refreshed(holder, claim))\n    return granted()',
  },
  {
    name: 'commit knows no limit',
    in: 'commit',
    find: 'if slotsOf(user)[field] or user.total >= limit then',
    replace: 'if slotsOf(user)[field] then',
  },
  { name: 'the dead stay in the hash', in: 'all', find: 'in pairs(user.stale) do', replace: 'in pairs({}) do' },
  {
    name: 'the dead count',
    in: 'all',
    find: 'return isAlive(sub(text, 1, 10)) and text or nil',
    replace: 'return text',
  },
  {
    name: 'a dead successor stays',
    in: 'all',
    find: 'if isAlive(sub(pending, 1, 10)) then',
    replace: 'if true then',
  },
  { name: 'a late call leads a rotation back', in: 'all', find: 'ahead >= rotations / 2', replace: 'false' },
  {
    name: 'an older claim takes the place',
    in: 'all',
    find: 'if isOlder(claim, holder) then return false end',
    replace: '',
  },
  {
    name: 'equal stamps have no order',
    in: 'all',
    find: 'return base36(one.process) < base36(other.process)',
    replace: 'return false',
  },
  {
    name: 'a replaced successor is not told',
    in: 'all',
    find: "if pending then tellClaim('moved', user, field, pending) end",
    replace: '',
  },
  {
    name: 'the hash of a user never ends',
    in: 'acquire',
    find: "if user.total == 0 then call('PEXPIRE', user.key, ttlMs) end\n  user.total = ",
    replace: 'user.total = ',
  },
  {
    name: 'assert brings back what has moved',
    in: 'assert',
    find: 'if isMoved(user, field, claim) then',
    replace: 'if false then',
  },
  { name: 'exchange for a dead newcomer', in: 'exchange', find: ' or not isAlive(epochOf(claim))', replace: '' },
  {
    name: 'exchange of a thread with a successor',
    in: 'exchange',
    find: 'if pending or slotsOf',
    replace: 'if slotsOf',
  },
  {
    name: 'beat brings an epoch back that was silent too long',
    in: 'beat',
    find: 'if isAlive(epoch) then',
    replace: "if call('ZSCORE', epochsKey, epoch) then",
  },
  { name: 'a fight ends 1 ms too early', in: 'acquire', find: '< fightMs', replace: '< fightMs - 1' },
];

describe.skipIf(process.env['TEST_HAS_REDIS'] === '0')('random steps find a bug in the scripts', () => {
  it.each(bugs.filter((_, index) => index % every === 0))(
    '$name',
    async (bug) => {
      const steps = await stepsUntilFound(bug, first, last);
      console.log(
        `${bug.name}: found after ${steps ?? 'more than ' + String((last - first + 1) * stepsPerSeed)} steps`,
      );
      expect(steps).not.toBeNull();
    },
    10 * 60_000,
  );
});
