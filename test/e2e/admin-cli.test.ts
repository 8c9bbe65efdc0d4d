import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type {
  CleanupView,
  ConfigView,
  JournalView,
  KpisView,
  Overview,
  UserPage,
  UserView,
} from '../../src/admin/schemas.js';
import { startCrowd, type CrowdClient } from '../support/crowd.js';
import { afterThisTest } from '../support/setup.js';
import { world, urlOf, openThreads, patiently, firstCells, suspectsIn } from '../support/admin-commands.js';

const dead = ['thread_5', 'thread_6', 'thread_7', 'thread_8', 'thread_9', 'thread_10', 'thread_11', 'thread_12'];

describe('a user with 12 clients, 8 of them stopped', () => {
  /** Three processes with four clients each; two of them are stopped where they stand. */
  async function twelve() {
    const made = await world();
    const crowds = [await startCrowd(), await startCrowd(), await startCrowd()] as const;
    const alive = await openThreads(crowds[0], made.server, 'alice', [1, 4]);
    await openThreads(crowds[1], made.server, 'alice', [5, 8]);
    await openThreads(crowds[2], made.server, 'alice', [9, 12]);
    crowds[1].freeze();
    crowds[2].freeze();
    return { ...made, alive, crowds };
  }

  async function expectEchoes(clients: readonly CrowdClient[]): Promise<void> {
    for (const [i, client] of clients.entries()) {
      const reply = client.reply();
      client.send(`hello ${i}`);
      expect(await reply).toBe(`hello ${i}`);
    }
  }

  it('loses exactly these 8 to mooring cleanup, and the other 4 still echo', async () => {
    const { run, json, server, alive } = await twelve();
    const { code, out, err } = await run('cleanup', 'alice');
    const [head = '', ...rows] = out.trimEnd().split('\n');
    expect([code, err]).toEqual([0, '']);
    expect(head).toMatch(/^alice: 8 released \(disconnected 8\), 4 left, in \d/);
    expect(rows.map((row) => row.trim().split(/ {2,}/))).toEqual(
      dead.map((thread) => [
        ...[thread, 'disconnected'],
        expect.stringMatching(/^a suspect: no answer when asked, silent for [\d.]+ m?s$/) as string,
      ]),
    );
    await expectEchoes(alive);
    expect((await server.health()).managers).toBe(4);
    const { managers } = await json<UserView>('check', 'alice');
    expect(managers.map(({ key }) => key)).toEqual([1, 2, 3, 4].map((number) => `alice:thread_${number}`));
  });

  it('loses nobody to a dry run, which names the same 8, and the same ones to an emergency cleanup', async () => {
    const { run, json, server, alive } = await twelve();
    const plain = await json<CleanupView>('cleanup', 'alice', '--dry-run');
    const dry = await json<CleanupView>('cleanup', 'alice', '--emergency', '--dry-run');
    for (const { dryRun, cleaned, chosen, remaining } of [plain, dry]) {
      expect({ dryRun, cleaned, remaining }).toEqual({ dryRun: true, cleaned: 0, remaining: 4 });
      expect(chosen.map(({ key }) => key)).toEqual(dead.map((thread) => `alice:${thread}`));
    }
    expect((await server.health()).managers).toBe(12);
    expect((await run('cleanup', 'alice', '--emergency', '--dry-run')).out).toMatch(
      /^alice: 8 would be released \(disconnected 8\), 4 left, in /,
    );
    const real = await json<CleanupView>('cleanup', 'alice', '--emergency');
    expect(real.chosen.map(({ key }) => key)).toEqual(dead.map((thread) => `alice:${thread}`));
    expect(real).toMatchObject({ dryRun: false, cleaned: 8, remaining: 4, timedOut: false });
    await expectEchoes(alive);
  });

  it('is told who are suspects, by whatever looks, until they are heard of again', async () => {
    const { run, json, crowds } = await twelve();
    await run('cleanup', 'alice', '--dry-run');
    const checked = await run('check', 'alice');
    expect(suspectsIn(checked.out)).toEqual(dead);
    expect(checked.out).toMatch(/^thread_5 .* suspect +no +(yes|no)/m);
    expect(suspectsIn((await run('explain', 'alice')).out)).toEqual(dead);
    expect(await json<UserPage>('users')).toMatchObject({ users: [{ userId: 'alice', suspects: 8 }] });
    expect((await run('top')).out).toMatch(/^8 suspects, 0 B unsent, /m);
    const { managers } = await json<UserView>('check', 'alice');
    const endsInMs = managers.flatMap(({ suspect }) => suspect?.endsInMs ?? []);
    expect([endsInMs.length, Math.max(...endsInMs) <= 76_000]).toEqual([8, true]);
    crowds[1].thaw();
    await expect.poll(async () => suspectsIn((await run('check', 'alice')).out), patiently).toEqual(dead.slice(4));
  });

  it('is told about by mooring explain, as a table and as JSON', async () => {
    const { run, json } = await twelve();
    await run('cleanup', 'alice');
    const { code, out } = await run('explain', 'alice');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^alice: last disconnected \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\+00:00: thread_12 was released as a suspect: no answer when asked, silent for /,
    );
    const lines = out
      .split('\n')
      .filter((line) =>
        /^\S+ {2}thread_\d+ was released as a suspect: no answer when asked, silent for .*; it had lasted [\d.]+ m?s\.$/.test(
          line,
        ),
      );
    expect(lines.map((line) => line.split(/\s+/)[1])).toEqual(dead);
    const { entries } = await json<JournalView>('explain', 'alice');
    const releases = entries.filter(({ type }) => type === 'manager.released');
    expect(releases.map((entry) => [entry['threadId'], entry['finding'], entry['by']])).toEqual(
      dead.map((thread) => [thread, 'silent', 'request']),
    );
    expect(out.split('\n').filter((line) => /^\d\d:\d\d:\d\d {2}/.test(line))).toHaveLength(entries.length);
  });
});

describe('mooring check', () => {
  it.each([
    [11, 'info', '55 %', 0],
    [12, 'warning', '60 %', 1],
  ])('of %i of 20 says %s, %s, and exits with %i', async (count, level, usage, code) => {
    const { server, run, json } = await world();
    await openThreads(await startCrowd(), server, 'alice', [1, count]);
    const ran = await run('check', 'alice');
    expect([ran.code, ran.err]).toEqual([code, '']);
    expect(ran.out.split('\n')[0]).toBe(`alice: ${count} of 20 (${usage}), ${level}`);
    const user = await json<UserView>('check', 'alice');
    expect(user).toMatchObject({ userId: 'alice', managerCount: count, maxManagers: 20, alertLevel: level });
    expect(firstCells(ran.out, /^thread +age/)).toEqual(user.managers.map(({ threadId }) => threadId));
    expect((await run('check', 'alice', '--act')).out).toBe(`alice: ${count} of 20 (${usage}), ${level}\n`);
  });

  it('finds every id there may be, and shows it as it is', async () => {
    const { server, run, json } = await world();
    const crowd = await startCrowd();
    const ids = [
      '..',
      '.',
      '=',
      'a/b/../c',
      'a%2Fb',
      'a?b#c',
      'a:b',
      '<b>hi</b>',
      'élise 😀 漢字',
      '-x',
      'u'.repeat(256),
    ];
    for (const userId of ids) {
      await openThreads(crowd, server, userId, [1, 1]);
      const [checked, explained] = await Promise.all([run('check', '--', userId), run('explain', '--', userId)]);
      expect(checked.out.split('\n')[0]).toBe(`${userId}: 1 of 20 (5 %), normal`);
      expect(explained.out).toContain(`${userId}: never disconnected`);
    }
    for (const userId of ['..', 'a/b/../c', 'a%2Fb'])
      expect(await json<CleanupView>('cleanup', userId)).toMatchObject({ userId, cleaned: 0, remaining: 1 });
  });

  it('shows what a terminal would obey or hide as text', async () => {
    const { server, run, json } = await world();
    const userId = 'x\u202egpj.\u200bexe';
    await openThreads(await startCrowd(), server, userId, [1, 1]);
    const shown = String.raw`x\u202egpj.\u200bexe`;
    expect((await run('check', userId)).out).toContain(`${shown}: 1 of 20`);
    expect((await run('users')).out).toContain(`\n${shown}  1 of 20`);
    expect((await run('users', '--json')).out).toContain(`"userId": "${shown}"`);
    expect(await json<UserPage>('users')).toMatchObject({ users: [{ userId }] });
  });
});

describe('mooring cleanup', () => {
  it('of one strategy leaves to the others what is theirs', async () => {
    const { server, json } = await world(['--set', 'idleManagerTimeout=1s', '--set', 'backgroundCleanupInterval=1h']);
    const [busy, gone] = [await startCrowd(), await startCrowd()];
    await busy.settle(urlOf(server, 'alice', 'thread_busy'), { chatterEveryMs: 100 });
    await busy.settle(urlOf(server, 'alice', 'thread_idle'));
    await gone.settle(urlOf(server, 'alice', 'thread_gone'), { chatterEveryMs: 100 });
    await sleep(1_200); // longer than the idle timeout
    gone.freeze();
    const chosenBy = async (...flags: string[]): Promise<string[]> =>
      (await json<CleanupView>('cleanup', 'alice', ...flags)).chosen.map(
        ({ threadId, strategy }) => `${threadId} ${strategy}`,
      );
    expect(await chosenBy('--strategy', 'disconnected', '--dry-run')).toEqual(['thread_gone disconnected']);
    expect(await chosenBy('--strategy', 'error')).toEqual([]);
    expect(await chosenBy('--strategy', 'disconnected')).toEqual(['thread_gone disconnected']);
    expect(await chosenBy('--strategy', 'disconnected', 'idle')).toEqual(['thread_idle idle']);
  });

  it('that is to evict takes whom nobody uses, the one left alone longest first', async () => {
    const { server, run } = await world(['--set', 'evictionFloorRatio=0.001']); // 600 ms
    const crowd = await startCrowd();
    await openThreads(crowd, server, 'alice', [1, 3]);
    await crowd.settle(urlOf(server, 'alice', 'thread_busy'), { chatterEveryMs: 50 });
    await sleep(700); // longer than the floor
    const dry = await run('cleanup', 'alice', '--emergency', '--keep', '1', '--dry-run');
    expect(dry.out).toMatch(/^alice: 3 would be released \(oldest 3\), 1 left, in /);
    const { out } = await run('cleanup', 'alice', '--emergency', '--evict', '1');
    expect(out).toMatch(
      /^alice: 1 released \(oldest 1\), 3 left, in .*\n {2}thread_1 {2}oldest {2}the one left alone longest: unused for [\d.]+ m?s/,
    );
  });
});

describe('mooring release', () => {
  it('ends one thread, or all of the user', async () => {
    const { server, run, json } = await world();
    const crowd = await startCrowd();
    const [first] = await openThreads(crowd, server, 'alice', [1, 3]);
    expect(await run('release', 'alice', 'thread_1')).toMatchObject({ code: 0, out: '1 released\n' });
    expect(await first!.end()).toMatchObject({ code: 4412 });
    expect(await json('release', 'alice', '--all')).toEqual({ released: 2 });
    expect(await run('release', 'alice', '--all')).toMatchObject({ code: 1, out: '0 released\n' });
  });

  it.each([
    [['release', 'alice'], 'error: give either a thread or --all'],
    [['release', 'alice', 'thread_1', '--all'], 'error: give either a thread or --all'],
    [['release', 'alice', 'thread_1'], 'No manager has this key now'],
  ])('%j says what is wrong', async (command, problem) => {
    const { run } = await world();
    const { code, err } = await run(...command);
    expect(err).toContain(problem);
    expect(code).not.toBe(0);
  });
});

describe('mooring explain', () => {
  it('tells only what is younger than --since, with the zone of the times', async () => {
    const { server, run } = await world();
    const crowd = await startCrowd();
    const [client] = await openThreads(crowd, server, 'bob', [1, 1]);
    client!.close();
    await client!.end();
    expect((await run('explain', 'bob', '--since', '1h')).out).toMatch(/\n\d{4}-\d\d-\d\d UTC[+-]\d\d:\d\d\n/);
    expect((await run('explain', 'bob', '--since', '0ms')).out).toBe('bob: not disconnected since then\n');
    expect((await run('explain', 'bob', '--since', '10')).err).toContain('Wanted a duration with its unit');
  });

  it('answers for a user who holds nothing any longer', async () => {
    const { server, run } = await world();
    const crowd = await startCrowd();
    const [client] = await openThreads(crowd, server, 'bob', [1, 1]);
    client!.close();
    await client!.end();
    const { code, out } = await run('explain', 'bob');
    expect([code, out.split('\n')[0]]).toEqual([
      0,
      expect.stringMatching(/^bob: last disconnected .*: thread_1 closed by itself after /) as string,
    ]);
    expect((await run('check', 'bob')).out).toBe(
      'bob: 0 of 20 (0 %), normal\nmooring explain says what became of their connections\n',
    );
  });

  it.each([['explain'], ['check'], ['cleanup'], ['check', '--act']])(
    'and what else is about a user: %j of nobody exits with 1, and says how to find them',
    async (...command) => {
      const { run } = await world();
      expect(await run(...command, 'nobody')).toEqual({
        code: 1,
        out: '',
        err: 'mooring: This user holds no manager, and nothing is known of one they had. Ids are case-sensitive; mooring users --search, or GET /api/v1/users?search=, finds them by a part.\n',
      });
    },
  );
});

describe('mooring users', () => {
  it('filters, sorts and pages, and says how many there are', async () => {
    const { server, run, json } = await world(['--set', 'maxManagersPerUser=5']);
    const crowd = await startCrowd();
    for (const [user, count] of [
      ['ada', 1],
      ['Alan', 2],
      ['grace', 5],
    ] as const)
      await openThreads(crowd, server, user, [1, count]);
    const idsOf = async (...flags: string[]): Promise<string[]> =>
      firstCells((await run('users', ...flags)).out, /^user /);
    await expect.poll(() => idsOf(), patiently).toEqual(['grace', 'Alan', 'ada']); // the list is at most a second old
    expect(await idsOf('--sort', 'id')).toEqual(['Alan', 'ada', 'grace']);
    expect(await idsOf('--sort', 'idle')).toEqual(['ada', 'Alan', 'grace']);
    expect(await idsOf('--level', 'emergency')).toEqual(['grace']);
    expect(await idsOf('--search', 'A', '--sort', 'id')).toEqual(['Alan', 'ada', 'grace']);
    expect(await idsOf('--search', 'la')).toEqual(['Alan']);
    expect(await idsOf('--all')).toEqual(['grace', 'Alan', 'ada']);
    const first = await run('users', '--limit', '1');
    expect(first.out).toMatch(
      /^user .*\ngrace {2}5 of 5 +100 % +emergency +0 +0 +0 +[\d.]+ m?s +[\d.]+ m?s\n\n1 of 3; --all shows all\n$/,
    );
    expect(await json<UserPage>('users', '--limit', '1')).toMatchObject({ total: 3, users: [{ userId: 'grace' }] });
    expect((await run('users', '--level', 'critical')).out).toBe('no users\n');
  });
});

describe('mooring kpis', () => {
  it('says the same as its JSON, and exits with 1 when one fails', async () => {
    const { server, run, json } = await world(['--set', 'maxManagersPerUser=5']);
    expect((await run('kpis')).code).toBe(0);
    await openThreads(await startCrowd(), server, 'ada', [1, 5]);
    const { code, out } = await run('kpis');
    const { kpis } = await json<KpisView>('kpis');
    expect(code).toBe(1);
    expect(kpis.find(({ name }) => name === 'alertFrequency')).toMatchObject({ verdict: 'fail', value: 1, samples: 1 });
    expect(out).toMatch(/^3 +alert frequency +100\.00 % +.* +fail +1$/m);
    expect(out).toMatch(/^3 +alert frequency +users 1, alerted 1$/m);
    for (const { number, verdict, samples } of kpis)
      expect(out).toMatch(new RegExp(`^${number} .* ${verdict} +${samples}$`, 'm'));
  });
});

describe('mooring config', () => {
  it('has the effective value of each setting, and where it came from', async () => {
    process.env['MOORING_TICKET'] = '5s';
    afterThisTest(() => {
      delete process.env['MOORING_TICKET'];
    });
    const { run, json } = await world(['--set', 'idleManagerTimeout=90s']);
    const { code, out } = await run('config');
    expect(code).toBe(0);
    expect(out).toMatch(/^environment: production\n\nsetting +value +source\n/);
    expect(out).toMatch(/^idleManagerTimeout +90s +flag$/m);
    expect(out).toMatch(/^ticket +5s +environment$/m);
    expect(out).toMatch(/^heartbeatInterval +25s +preset$/m);
    const { settings, environment } = await json<ConfigView>('config');
    expect(environment).toBe('production');
    expect(settings['idleManagerTimeoutMs']).toEqual({ value: 90_000, written: '90s', source: 'flag' });
    expect(firstCells(out, /^setting /)).toHaveLength(Object.keys(settings).length);
  });
});

describe('mooring top, not on a terminal', () => {
  it('prints once', async () => {
    const { server, run, json } = await world();
    await openThreads(await startCrowd(), server, 'ada', [1, 2]);
    await expect
      .poll(async () => (await run('top')).out, patiently)
      .toMatch(/^1 user: normal 1, .*\n\nuser .*\nada {3}2 of 20/m);
    const { overview, users } = await json<{ overview: Overview; users: UserPage }>('top');
    expect([overview.managers, users.users.length]).toEqual([2, 1]);
  });
});
