/** User ids and isolation keys in the paths of the admin API. */

/** All routes of the API are below this path. */
export const apiPath = '/api/v1';

/**
 * A user id as a segment of a path. `.` and `..` get a `=` in front, since URLs drop such segments, and so do ids that
 * begin with `=`.
 */
export function userSegment(userId: string): string {
  return encodeURIComponent(/^(=|\.{1,2}$)/.test(userId) ? `=${userId}` : userId);
}

/** The user id of a segment whose percent-encoding is decoded already. */
export function userOfSegment(segment: string): string {
  return segment.startsWith('=') ? segment.slice(1) : segment;
}

/** An isolation key as a segment of a path. It has a colon, so it is never `.` or `..`. */
export function keySegment(key: string): string {
  return encodeURIComponent(key);
}
