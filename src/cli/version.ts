import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Variables } from '../config/environment.js';

/** The package that this command is part of: `mooring-cli`, or in a clone `mooring`. */
interface Package {
  readonly name: string;
  readonly version: string;
}

/** Its package.json is beside both `dist` and `src`. */
function readPackage(): Package {
  return JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as Package;
}

/** The version of the package. */
export function readVersion(): string {
  return readPackage().version;
}

/**
 * What to type for `mooring`, so that a command we suggest can be pasted: `npx mooring` in a clone, `npx mooring-cli` if npx
 * runs this, else `mooring`.
 * @param env the environment variables; npm sets `npm_command`
 */
export function commandName(env: Variables = process.env): string {
  if (readPackage().name === 'mooring') return 'npx mooring';
  return env['npm_command'] === 'exec' ? 'npx mooring-cli' : 'mooring';
}
