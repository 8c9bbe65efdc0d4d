import { describe, expect, it } from 'vitest';
import { messageSize, portNumber } from '../../../src/cli/commands/values.js';

describe('the size of a message', () => {
  it.each([
    ['1KiB', 1_024],
    ['1024B', 1_024],
    ['64 KiB', 65_536],
    ['1MiB', 1_048_576],
    ['1.5MiB', 1_572_864],
    ['1GiB', 1_073_741_824],
  ])('%s is %i bytes', (text, bytes) => {
    expect(messageSize(text)).toBe(bytes);
  });

  it.each(['', '1048576', '1MB', '1mib', '0MiB', '1023B', '1.1GiB', '-1MiB', '1e3KiB', 'MiB'])(
    '%j is refused, with what is wanted',
    (text) => {
      expect(() => messageSize(text)).toThrow(/from 1KiB to 1GiB/);
    },
  );
});

describe('a port', () => {
  it.each(['0', '8080', '65535'])('may be %s', (text) => {
    expect(portNumber(text)).toBe(Number(text));
  });

  it.each(['', '-1', '65536', '80.5', '0x50', 'http'])('may not be %j', (text) => {
    expect(() => portNumber(text)).toThrow('Wanted a whole number from 0 to 65535.');
  });
});
