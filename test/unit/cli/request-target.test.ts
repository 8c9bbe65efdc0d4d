import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { originFormOf, pathOf } from '../../../src/cli/server/request-target.js';

function asked(url: string): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  request.url = url;
  return request;
}

describe('the target of a request', () => {
  it.each([
    ['/healthz?a=b', '/healthz?a=b', '/healthz'],
    ['http://u:p@host/healthz?a=b', '/healthz?a=b', '/healthz'],
    ['HTTP://u:p@host:80', '/', '/'],
    ['http://u:p@host?a=b', '/?a=b', '/'],
    ['ws://u:p@host/x', '/x', '/x'],
    ['*', '*', '*'],
    ['//host/x', '//host/x', '//host/x'],
  ])('%s is %s, its path %s', (url, target, path) => {
    expect([originFormOf(asked(url)), pathOf(asked(url))]).toEqual([target, path]);
  });
});
