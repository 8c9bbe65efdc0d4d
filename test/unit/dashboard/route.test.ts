import { describe, expect, it } from 'vitest';
import { cursorsIn, pathOfPage } from '../../../dashboard/src/paging.js';
import { hashOfUser, routeOf } from '../../../dashboard/src/route.js';

describe('a route', () => {
  it.each([
    ['', 'overview', ''],
    ['#/', 'overview', ''],
    ['#/users', 'users', ''],
    ['#/users/', 'users', ''],
    ['#/users/ada', 'user', 'ada'],
    ['#/users/a/b', 'user', 'a/b'],
    ['#/users/a%2Fb/c', 'user', 'a/b/c'],
    ['#/users//', 'user', '/'],
    ['#/users/50%', 'user', '50%'],
    ['#/events', 'events', ''],
    ['#/other', 'nowhere', ''],
  ])('of %s is the page %s %s', (hash, page, userId) => {
    expect(routeOf(hash)).toMatchObject({ page, userId });
  });

  it.each(['ada', 'a/b', '?a#b&c', '..', '50%'])('of the address of %s leads to it', (userId) => {
    expect(routeOf(hashOfUser(userId))).toMatchObject({ page: 'user', userId });
  });

  it('has a query, with all that is in it', () => {
    const { page, query } = routeOf('#/users?search=a?b/c&level=info');
    expect([page, query.get('search'), query.get('level')]).toEqual(['users', 'a?b/c', 'info']);
  });
});

describe('a page of a list', () => {
  it('is asked for with the last of the cursors in the address', () => {
    const pathOf = (query: string) => pathOfPage('sort=id', cursorsIn(new URLSearchParams(query)));
    expect(pathOf('')).toBe('api/v1/users?sort=id&limit=50');
    expect(pathOf('after=..')).toBe('api/v1/users?sort=id&limit=50');
    expect(pathOf('after=one.two')).toBe('api/v1/users?sort=id&limit=50&cursor=two');
    expect(pathOf('after=one%26sort')).toBe('api/v1/users?sort=id&limit=50&cursor=one%26sort');
  });
});
