import { describe, expect, it } from 'vitest';
import { keySegment, userOfSegment, userSegment } from '../../../src/presentation/paths.js';

describe('a user id in a path', () => {
  it.each([
    ['alice', 'alice'],
    ['.', '%3D.'],
    ['..', '%3D..'],
    ['...', '...'],
    ['=', '%3D%3D'],
    ['=alice', '%3D%3Dalice'],
    ['a/b?c#d%', 'a%2Fb%3Fc%23d%25'],
    ['ünï 🐍', '%C3%BCn%C3%AF%20%F0%9F%90%8D'],
  ])('%j is %s, and comes back', (id, segment) => {
    expect(userSegment(id)).toBe(segment);
    const { pathname } = new URL(`http://x/users/${segment}/check`);
    expect(userOfSegment(decodeURIComponent(pathname.split('/')[2]!))).toBe(id);
  });
});

describe('an isolation key in a path', () => {
  it('is percent-encoded', () => {
    expect(keySegment('a%3Ab:t/1')).toBe('a%253Ab%3At%2F1');
  });
});
