import { describe, expect, it } from 'vitest';
import {
  AuthenticationError,
  ConfigurationError,
  MalformedContextError,
  MooringError,
  QuotaExceededError,
  RefusalError,
} from '../../src/core/errors.js';

const quota = (): QuotaExceededError => new QuotaExceededError({ limit: 20, ahead: 0, retryAfterMs: 1_001 });

describe('an error', () => {
  it.each([
    ['MooringError', 'key.replaced', () => new MooringError('key.replaced', 'x')],
    ['MalformedContextError', 'context.malformed', () => new MalformedContextError('userId', 'is empty')],
    ['ConfigurationError', 'config.invalid', () => new ConfigurationError(['x'])],
    ['RefusalError', 'key.contested', () => new RefusalError('key.contested', 'contested', { message: 'x' })],
    ['QuotaExceededError', 'quota.exceeded', quota],
    ['AuthenticationError', 'credentials.rejected', () => new AuthenticationError()],
  ])('is told apart by name and code: %s %s', (name, code, make) => {
    const error = make();
    expect(error).toMatchObject({ name, code });
    expect(String(error)).toMatch(new RegExp(`^${name}: .`));
  });
});

describe('a refusal for quota', () => {
  it('says how many connections there may be, and when to come back in whole seconds', () => {
    expect(quota().message).toBe("All 20 of this user's connections are in use; try again in 2 s.");
  });
});

describe('a configuration with one mistake', () => {
  it('has it in the singular', () => {
    expect(new ConfigurationError(['one: wrong']).message).toBe('The configuration has a mistake:\n  - one: wrong');
  });
});

describe('rejected credentials', () => {
  it('tell the client a reason', () => {
    const { reason, message } = new AuthenticationError('expired');
    expect([reason, message]).toEqual(['expired', 'The credentials are expired.']);
    expect(new AuthenticationError().reason).toBe('unauthenticated');
  });
});
