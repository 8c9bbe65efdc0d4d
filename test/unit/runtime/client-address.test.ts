import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressKey, noAddress } from '../../../src/runtime/client-address.js';

describe('addressKey', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:c000:0207', '192.0.2.7'],
    ['0:0:0:0:0:ffff:192.0.2.7', '192.0.2.7'],
    ['64:ff9b::192.0.2.7', '192.0.2.7'],
    ['2001:db8:0:1:2:3:4:5', '2001:db8:0:1::/64'],
    ['2001:0DB8:0000:0001::9', '2001:db8:0:1::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['192.0.2.7:49152', '192.0.2.7'],
    ['[2001:db8::1]:49152', '2001:db8:0:0::/64'],
    ['[2001:db8::1]', '2001:db8:0:0::/64'],
    ['[::ffff:192.0.2.7]:49152', '192.0.2.7'],
    ['[session]:1', '[session]:1'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    [' 192.0.2.7 ', '192.0.2.7'],
    ['a name', 'a name'],
    ['999.0.2.7:443', '999.0.2.7:443'],
  ])('%s counts as %s', (address, key) => {
    expect(addressKey(address)).toBe(key);
  });

  it.each([undefined, '', ' '])('without an address (%j) all count together', (address) => {
    expect(addressKey(address)).toBe(noAddress);
  });

  it('gives every address of a /64 the same key, and those of another /64 another one', () => {
    const group = fc.integer({ min: 1, max: 0xfffe }).map((value) => value.toString(16));
    fc.assert(
      fc.property(fc.array(group, { minLength: 4, maxLength: 4 }), group, group, (network, host, other) => {
        const of = (groups: string[], last: string) => addressKey(`${groups.join(':')}:0:0:0:${last}`);
        expect(of(network, host)).toBe(of(network, other));
        const neighbours = [
          ...network.slice(0, 3),
          ((Number.parseInt(network[3] ?? '', 16) + 1) & 0xffff).toString(16),
        ];
        expect(of(neighbours, host)).not.toBe(of(network, host));
      }),
    );
  });

  it('takes any text without failing', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV6(), fc.ipV4()), (text) => {
        expect(typeof addressKey(text)).toBe('string');
      }),
    );
  });
});
