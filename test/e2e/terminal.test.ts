import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { startCrowd } from '../support/crowd.js';
import { runMooring } from '../support/mooring-command.js';
import { startMooring, type MooringProcess } from '../support/mooring-process.js';
import { hasTerminals, startOnTerminal } from '../support/terminal.js';

const [enter, leave] = ['\u001b[?1049h\u001b[?25l', '\u001b[?25h\u001b[?1049l'];
const [ctrlC, ctrlZ, ctrlBackslash] = ['\u0003', '\u001a', '\u001c'];
const escape = '\u001b';
const [yellow, uncoloured] = ['\u001b[33m', '\u001b[0m'];
const longId = `long-${'x'.repeat(200)}`;

/** A server with a user at a level, and one with a long name. */
async function world() {
  const server = await startMooring(['--set', 'maxManagersPerUser=5', '--set', 'proactiveCleanupThreshold=0.4']);
  const crowd = await startCrowd();
  const threads = [
    ['alice', 1],
    ['alice', 2],
    [longId, 1],
  ] as const;
  for (const [user, number] of threads) await crowd.settle(urlOf(server, user, number));
  return { server, url: await server.adminUrl() };
}

const urlOf = ({ url }: MooringProcess, user: string, number: number): string =>
  `${url}/?user_id=${user}&thread_id=thread_${number}`;

/** A whole picture with this in it. */
const pictureWith = (content: string): RegExp => new RegExp(`${content}[^]*?${escape}\\[J`);

/** The pictures shown one after another, without what only a terminal sees, by line. */
function pictures(written: string): string[][] {
  return written
    .slice(written.indexOf(enter) + enter.length, written.indexOf(leave))
    .split('\u001b[H')
    .slice(1)
    .map((picture) => stripVTControlCharacters(picture).split('\r\n'));
}

describe.skipIf(!hasTerminals)('mooring top on a terminal', () => {
  it.each([
    [40, 9],
    [80, 24],
    [300, 60],
  ])('of %i columns and %i lines stays within them, in colour, until Ctrl-C', async (columns, rows) => {
    const { url } = await world();
    const top = startOnTerminal(['top', '--every', '100ms', '--url', url], { columns, rows });
    const once = await top.shows(pictureWith('alice .*2 of 5'));
    await top.shows(pictureWith('alice '), once);
    top.type(ctrlC);
    expect(await top.ended).toEqual({ code: 0, signal: null });
    const written = top.written();
    expect([written.startsWith(enter), written.endsWith(leave)]).toEqual([true, true]);
    for (const lines of pictures(written).slice(0, -1)) {
      expect(lines.length).toBeLessThan(rows);
      expect(lines.filter((line) => line.length > columns)).toEqual([]);
    }
    const alice = written.split('\r\n').find((line) => line.startsWith('alice'));
    expect(alice).toContain(`${yellow}warning${uncoloured}`);
    expect(written.includes(longId)).toBe(columns === 300);
  });

  it('of unknown size takes the usual one', async () => {
    const { url } = await world();
    const top = startOnTerminal(['top', '--every', '100ms', '--url', url], { columns: 0, rows: 0 });
    await top.shows(pictureWith('alice .*2 of 5'));
    top.type(ctrlC);
    expect(await top.ended).toEqual({ code: 0, signal: null });
    const [lines = []] = pictures(top.written());
    expect(Math.max(...lines.map((line) => line.length))).toBe(80); // the long id is cut to fit
  });

  it('gives the screen back while Ctrl-Z stops it, and takes it again', async () => {
    const { url } = await world();
    const lineOf = (command: string): string => `set -m; ${command}; echo stopped; sleep 1; fg; echo ended with $?`;
    const top = startOnTerminal(['top', '--every', '1h', '--url', url], { lineOf });
    await top.shows(pictureWith('alice '));
    const before = top.written().length;
    top.type(ctrlZ);
    const stopped = await top.shows(/stopped/, before);
    const [echo, rest] = top.written().slice(before, stopped).split(leave);
    expect([echo, rest]).toEqual(['^Z', expect.not.stringContaining(escape)]);
    const shown = await top.shows(pictureWith('alice '), stopped);
    expect(top.written().slice(stopped, shown).split(enter)).toHaveLength(2);
    top.type(ctrlC);
    await top.shows(/ended with 0/, shown);
    expect(top.written().slice(shown).split(leave)).toHaveLength(2);
  });

  it('leaves the screen alone in the background, and takes it again in front', async () => {
    const { url } = await world();
    const lineOf = (command: string): string =>
      `set -m; ${command}; bg; sleep 1; echo in front; fg %1; echo ended with $?`;
    const top = startOnTerminal(['top', '--every', '100ms', '--url', url], { lineOf });
    await top.shows(pictureWith('alice '));
    const before = top.written().length;
    top.type(ctrlZ);
    const behind = await top.shows(/in front/, before);
    expect(top.written().slice(before, behind).split(enter)).toHaveLength(1);
    const shown = await top.shows(pictureWith('alice '), behind);
    expect(top.written().slice(behind, shown).split(enter)).toHaveLength(2);
    top.type(ctrlC);
    await top.shows(/ended with 0/, shown);
  });

  it('gives the screen back when Ctrl-\\ ends it', async () => {
    const { url } = await world();
    const top = startOnTerminal(['top', '--every', '1h', '--url', url]);
    await top.shows(pictureWith('alice '));
    const before = top.written().length;
    top.type(ctrlBackslash);
    await top.ended;
    expect(top.written().slice(before)).toMatch(`^\\${leave}`);
  });

  it('goes on where Ctrl-Z can stop nobody, as there is no shell', async () => {
    const { url } = await world();
    const top = startOnTerminal(['top', '--every', '100ms', '--url', url]);
    const once = await top.shows(pictureWith('alice '));
    top.type(ctrlZ);
    await top.shows(pictureWith('alice '), once + leave.length);
    top.type(ctrlC);
    expect(await top.ended).toEqual({ code: 0, signal: null });
    expect(top.written().endsWith(leave)).toBe(true);
  });

  it('tells that the server is gone, and goes on when it is back', async () => {
    const { server, url } = await world();
    const top = startOnTerminal(['top', '--every', '100ms', '--url', url]);
    await top.shows(/alice/);
    process.kill(server.pid, 'SIGKILL');
    const gone = await top.shows(/No answer at \d\d:\d\d:\d\d; trying again until Ctrl-C\..*ECONNREFUSED/s);
    await startMooring(['--admin-port', new URL(url).port]);
    await top.shows(pictureWith('0 users'), gone);
    top.type(ctrlC);
    expect(await top.ended).toEqual({ code: 0, signal: null });
  });

  it('ends at once by Ctrl-C while the server does not answer, and gives the screen back', async () => {
    const { server, url } = await world();
    const top = startOnTerminal(['top', '--every', '100ms', '--url', url]);
    await top.shows(/alice/);
    process.kill(server.pid, 'SIGSTOP');
    await sleep(500); // so that it has asked, and waits
    const before = top.written().length;
    top.type(ctrlC);
    expect(await top.ended).toEqual({ code: 0, signal: null });
    expect(top.written().slice(before)).toBe(`^C${leave}`);
  });

  it('exits with 3 where no server is, and leaves the screen alone', async () => {
    const top = startOnTerminal(['top', '--url', 'http://127.0.0.1:9']);
    expect((await top.ended).code).toBe(3);
    expect(top.written()).toMatch(/^mooring: cannot reach /);
  });
});

describe.skipIf(!hasTerminals)('colours', () => {
  const outputOn = async (url: string, env: Readonly<Record<string, string>>): Promise<string> => {
    const check = startOnTerminal(['check', 'alice', '--url', url], { env });
    await check.ended;
    return check.written();
  };

  it('are for terminals that take them, and nobody else', async () => {
    const { url } = await world();
    expect(await outputOn(url, {})).toContain(`${yellow}warning${uncoloured}`);
    for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) expect(await outputOn(url, env)).not.toContain('\u001b');
    expect((await runMooring(['check', 'alice', '--url', url])).out).not.toContain('\u001b');
  });

  it('or not, tables fit the terminal, and are whole elsewhere', async () => {
    const { url } = await world();
    const users = startOnTerminal(['users', '--url', url], { columns: 90 });
    await users.ended;
    const lines = stripVTControlCharacters(users.written()).split('\r\n');
    expect(lines.filter((line) => line.length > 90)).toEqual([]);
    expect(lines.find((line) => line.startsWith('long-'))).toMatch(/^long-x+… {2}1 of 5 /);
    expect((await runMooring(['users', '--url', url])).out).toContain(longId);
  });
});
