import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { chromiumPage, hasChromium } from '../support/chromium.js';
import { startCrowd } from '../support/crowd.js';
import { startMooring } from '../support/mooring-process.js';

const hasPython = process.env['TEST_HAS_PYTHON_WEBSOCKETS'] !== '0';
const query = '/?user_id=ada&thread_id=thread_1';
const root = join(import.meta.dirname, '../..');

describe('a client of ws', () => {
  it('gets its echo', async () => {
    const server = await startMooring();
    const client = await (await startCrowd()).settle(`${server.url}${query}`);
    client.send('hello from Node');
    expect(await client.reply()).toBe('hello from Node');
  });
});

describe.runIf(hasPython)('a client of websockets for Python', () => {
  /** What it printed, line by line. */
  async function python(...args: string[]): Promise<string[]> {
    const file = join(root, 'test/support/python-client.py');
    const { stdout } = await promisify(execFile)('/usr/bin/python3', [file, ...args], { timeout: 20_000 });
    return stdout.trimEnd().split('\n');
  }

  it('gets its echo', async () => {
    const server = await startMooring();
    expect(await python(`${server.url}${query}`, 'hello from Python', 'λ 🐍')).toEqual(['hello from Python', 'λ 🐍']);
  });

  it('is told why it is refused', async () => {
    const server = await startMooring();
    expect(await python(`${server.url}/?user_id=ada`, 'hello')).toEqual([expect.stringMatching(/^1008 threadId/)]);
  });
});

/** What a page's WebSocket said, in order. It sends one message when it opens, and closes after the answer. */
const talk = async (url: string): Promise<string[]> => {
  const said: string[] = [];
  const socket = new WebSocket(url);
  socket.onopen = () => {
    said.push('open');
    socket.send('hello from a page');
  };
  socket.onmessage = ({ data }) => {
    said.push(String(data));
    socket.close(1000);
  };
  await new Promise<void>((resolve) => {
    socket.onclose = ({ code, reason }) => {
      said.push(`${String(code)} ${reason}`.trim());
      resolve();
    };
  });
  return said;
};

describe.runIf(hasChromium)('a page in Chromium', () => {
  it('gets its echo', async () => {
    const server = await startMooring();
    const page = await chromiumPage();
    expect(await page.evaluate(talk, `${server.url}${query}`)).toEqual(['open', 'hello from a page', '1000']);
  });

  it('can read why it is refused, which no HTTP status would tell it (whatwg/websockets#21)', async () => {
    const server = await startMooring(['--set', 'maxManagersPerUser=0']);
    const page = await chromiumPage();
    const malformed = await page.evaluate(talk, `${server.url}/?user_id=ada&thread_id=7`);
    expect(malformed).toEqual(['open', '1008 threadId must begin with "thread_"']);
    const full = await page.evaluate(talk, `${server.url}${query}`);
    expect(full).toEqual(['open', expect.stringMatching(/^1013 quota;retry=\d+\.\d\d;max=0$/)]);
  });

  it('knows from mooring/client what to do then', async () => {
    const page = await chromiumPage();
    const source = readFileSync(join(root, 'dist/client/should-reconnect.js'), 'utf8');
    const url = `data:text/javascript;base64,${Buffer.from(source).toString('base64')}`;
    // As text: what is written here as a function is compiled for Node first.
    const advice: unknown = await page.evaluate(`import('${url}').then(({ shouldReconnect }) =>
      shouldReconnect(new CloseEvent('close', { code: 1013, reason: 'quota;retry=30;max=20' })))`);
    expect(advice).toEqual({ retry: true, delayMs: 30_000 });
  });
});
