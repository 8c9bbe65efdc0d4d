import { environments, type Environment } from '../core/presets.js';

/** The environment variables of a process. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** The environment, and what is wrong with the name that was given for it. */
interface NamedEnvironment {
  readonly environment: Environment;
  readonly problem?: string;
  readonly warning?: string;
}

/**
 * The environment that was given, else the first of `MOORING_ENV`, `NETRA_ENV` and `NODE_ENV` that is not empty, else
 * development. An unknown name is a mistake: a typo must not loosen production. In `NODE_ENV`, which other programs
 * read too, it means development.
 */
export function environmentOf(given: string | undefined, env: Variables): NamedEnvironment {
  const { MOORING_ENV, NETRA_ENV, NODE_ENV } = env;
  const names = Object.entries({ environment: given, MOORING_ENV, NETRA_ENV, NODE_ENV });
  const [label, name] = names.find(([, value]) => value !== undefined && value !== '') ?? [];
  if (name === undefined) return { environment: 'development' };
  const environment = environments.find((each) => each === name);
  if (environment !== undefined) return { environment };
  if (label === 'NODE_ENV')
    return {
      environment: 'development',
      warning: `NODE_ENV is "${name}", which names no environment here; using development`,
    };
  return {
    environment: 'production',
    problem: `${label ?? ''}: got "${name}", wanted one of ${environments.join(', ')}`,
  };
}

/** Variables that other parts of Mooring read. */
const readElsewhere = /^MOORING_(ENV|REDIS_URL|ADMIN_URL|ADMIN_(READ_|ACT_)?TOKEN)$/;

/** The variables that are meant as settings: their names begin with `MOORING_`, and nothing else sets or reads them. */
export function settingVariables(env: Variables): [variable: string, written: string][] {
  return Object.entries(env)
    .filter((entry): entry is [string, string] => entry[1] !== undefined && entry[0].startsWith('MOORING_'))
    .filter(([variable, written]) => !readElsewhere.test(variable) && !isFromKubernetes(variable, written));
}

/** Kubernetes sets these variables in every pod for services called `mooring` and `mooring-admin`. */
const kubernetesNames = /^MOORING_(ADMIN_)?(SERVICE_(HOST|PORT)(_.*)?|PORT(_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?)$/;

/** `MOORING_PORT` may also be a mistake of a person: Kubernetes writes a URL there. */
function isFromKubernetes(variable: string, written: string): boolean {
  const isPort = variable === 'MOORING_PORT' || variable === 'MOORING_ADMIN_PORT';
  return kubernetesNames.test(variable) && (!isPort || written.includes('://'));
}
