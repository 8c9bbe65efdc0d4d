import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { isLoopback, type Access, type AdminToken, type Scope } from '../../admin/access.js';
import type { Variables } from '../../config/environment.js';
import { issuesOf } from '../../config/written-settings.js';
import { ConfigurationError, MooringError } from '../../core/errors.js';

/** The flags that decide who may use the admin API. */
export interface AdminFlags {
  readonly adminHost: string;
  readonly adminTokenFile?: string;
}

/** The variables that may have a token, and the scope of each. */
const tokenVariables = Object.freeze({
  MOORING_ADMIN_READ_TOKEN: 'read',
  MOORING_ADMIN_ACT_TOKEN: 'act',
}) satisfies Readonly<Record<string, Scope>>;

const tokenText = z
  .string()
  .regex(/^[\x21-\x7e]{16,}$/, 'wanted at least 16 characters, all of them visible ASCII; try openssl rand -hex 32');

const tokensInFile = z
  .array(
    z.strictObject({ token: tokenText, scope: z.enum(['read', 'act']), name: z.string().min(1).max(100).optional() }),
  )
  .min(1, 'wanted at least one token');

/**
 * Who may use the admin API: the holders of these tokens; without any token, everybody on this machine.
 * @param env the environment variables
 * @throws ConfigurationError for invalid tokens, and if there is no token although other machines could connect
 */
export function readAccess(flags: AdminFlags, env: Variables): Access {
  const { adminTokenFile: file, adminHost: host } = flags;
  const tokens = [...(file === undefined ? [] : tokensOf(file)), ...tokensFrom(env)];
  if (tokens.length > 0) return tokens;
  if (isLoopback(host)) return 'loopback';
  throw new ConfigurationError([
    `--admin-host ${host}: without tokens the admin API is for this machine alone; give it tokens with --admin-token-file, ${Object.keys(tokenVariables).join(' or ')}, or leave --admin-host at 127.0.0.1, or turn it off with --no-admin`,
  ]);
}

function tokensFrom(env: Variables): AdminToken[] {
  return Object.entries(tokenVariables).flatMap(([variable, scope]) => {
    const token = env[variable] ?? '';
    if (token === '') return [];
    const { error } = tokenText.safeParse(token);
    if (error !== undefined) throw new ConfigurationError([`${variable}: ${issuesOf(error)}`]);
    return [{ token, scope, name: scope }];
  });
}

function tokensOf(file: string): AdminToken[] {
  try {
    const { data, error } = tokensInFile.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    if (data !== undefined) return data;
    throw new ConfigurationError([`--admin-token-file ${file}: ${issuesOf(error)}`]);
  } catch (error) {
    if (error instanceof MooringError) throw error;
    // The message of JSON.parse quotes the text, and so the tokens.
    const why = error instanceof SyntaxError ? 'is not JSON' : (error as Error).message;
    throw new ConfigurationError([
      `--admin-token-file ${file}: ${why}; wanted [{ "name": "ops", "scope": "act", "token": "…" }]`,
    ]);
  }
}
