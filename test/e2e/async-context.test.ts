import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const script = fileURLToPath(new URL('../support/first-request.mjs', import.meta.url));

it("the first request's store can be collected while the server runs on", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script]);
  expect(stdout.trim()).toBe('collected');
});
