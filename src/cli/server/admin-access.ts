import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { isLoopback, type Access, type AdminToken, type Scope } from '../../admin/access.js';
import { ConfigurationError, MooringError } from '../../core/errors.js';

/** What the flags of the admin server say. */
export interface AdminFlags {
  /** Whether there is one. */
  readonly admin: boolean;
  readonly adminPort: number;
  readonly adminHost: string;
  readonly adminTokenFile?: string;
  /** What browsers call it, behind a proxy that sets `Host` anew. @default none */
  readonly adminOrigin?: readonly string[];
}

type Variables = Readonly<Record<string, string | undefined>>;

/** The variables a token may be in, and what it may do then. */
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
 * Who may use the admin API: whoever has one of these tokens; without any, this machine alone.
 * @param env the environment variables
 * @throws ConfigurationError for tokens that are none, and where nobody but this machine may ask, and others could
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
    if (error !== undefined) throw new ConfigurationError([`${variable}: ${sentenceOf(error)}`]);
    return [{ token, scope, name: scope }];
  });
}

function tokensOf(file: string): AdminToken[] {
  try {
    const { data, error } = tokensInFile.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    if (data !== undefined) return data;
    throw new ConfigurationError([`--admin-token-file ${file}: ${sentenceOf(error)}`]);
  } catch (error) {
    if (error instanceof MooringError) throw error;
    // What JSON.parse complains of quotes the text, and so the tokens.
    const why = error instanceof SyntaxError ? 'is no JSON' : error instanceof Error ? error.message : 'cannot be read';
    throw new ConfigurationError([
      `--admin-token-file ${file}: ${why}; wanted [{ "name": "ops", "scope": "act", "token": "…" }]`,
    ]);
  }
}

function sentenceOf({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': ')).join('; ');
}
