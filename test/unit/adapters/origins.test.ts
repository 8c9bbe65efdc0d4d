import { describe, expect, it } from 'vitest';
import { AllowedOrigins } from '../../../src/adapters/origins.js';

const unreported = (error: unknown): never => {
  throw error;
};

describe('a list of origins', () => {
  it.each([
    ['https://App.Example', 'https://app.example'],
    ['HTTPS://app.example', 'https://app.example'],
    ['https://app.example/', 'https://app.example'],
    ['https://app.example:443', 'https://app.example'],
    ['http://app.example:80/', 'http://app.example'],
    ['https://app.example:8443', 'https://app.example:8443'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['https://BÜCHER.example:443/', 'https://xn--bcher-kva.example'],
    ['http://localhost:3000', 'http://localhost:3000'],
    ['http://[::1]:3000', 'http://[::1]:3000'],
    ['chrome-extension://abcdef', 'chrome-extension://abcdef'],
    ['capacitor://localhost/', 'capacitor://localhost'],
    ['file://', 'file://'],
  ])('with %s lets in %s', (entry, origin) => {
    const origins = new AllowedOrigins([entry], unreported);
    expect([origins.allow(origin), origins.allow(`${origin}x`), origins.allow('null')]).toEqual([true, false, false]);
  });

  it.each<[unknown, RegExp]>([
    ['app.example', /got 'app\.example', wanted an origin as a browser sends it.*https:\/\/app\.example/],
    ['localhost:3000', /got 'localhost:3000', wanted/],
    ['//app.example', /wanted an origin/],
    ['https://app.example/path', /got 'https:\/\/app\.example\/path', wanted/],
    ['https://app.example?x', /wanted/],
    ['https://app.example#x', /wanted/],
    ['https://user@app.example', /wanted/],
    ['https://app.example:99999', /wanted/],
    ['https://', /wanted/],
    ['', /got '', wanted/],
    [' https://app.example', /wanted/],
    ['https://app.\texample', /wanted/],
    ['*', /got '\*', wanted origins; to allow all, leave allowedOrigins out/],
    ['https://*.app.example', /for a pattern give a function/],
    ['null', /got 'null'.*sandboxed.*give a function/],
    ['wss://app.example', /begins with https:\/\//],
    ['ws://app.example', /begins with http:\/\//],
    [7, /got 7, wanted/],
    [null, /got null, wanted/],
    [/app/, /wanted/],
  ])('cannot have %o', (entry, problem) => {
    const origins = () => new AllowedOrigins(['https://app.example', entry as string], unreported);
    expect(origins).toThrow(TypeError);
    expect(origins).toThrow(problem);
  });

  it.each([['https://app.example'], [{}], [null], [7]])('cannot be %o', (rule) => {
    expect(() => new AllowedOrigins(rule as never, unreported)).toThrow(/wanted a list of origins or a function/);
  });

  it('that is empty lets no page in', () => {
    const origins = new AllowedOrigins([], unreported);
    expect([origins.allow('https://app.example'), origins.allow(undefined)]).toEqual([false, true]);
  });

  it('is what it was when it was given', () => {
    const list = ['https://app.example'];
    const origins = new AllowedOrigins(list, unreported);
    list.push('https://other.example');
    expect(origins.allow('https://other.example')).toBe(false);
  });
});

describe('a function', () => {
  it('gets the origin as it was sent, null too', () => {
    const asked: string[] = [];
    const origins = new AllowedOrigins((origin) => asked.push(origin) > 1, unreported);
    expect([origins.allow('HTTPS://App.Example'), origins.allow('null')]).toEqual([false, true]);
    expect(asked).toEqual(['HTTPS://App.Example', 'null']);
  });
});
